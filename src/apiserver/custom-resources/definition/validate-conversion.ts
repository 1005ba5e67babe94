import type {
  CustomResourceConversion,
  CustomResourceDefinitionSpec,
} from '#kinds/generated/types/apiextensions_v1.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1035Problems } from '#machinery/names.ts';

/** Versions of ConversionReview that this server speaks. */
export const reviewVersions: readonly string[] = ['v1', 'v1beta1'];

const path = 'spec.conversion';

/** What is wrong with how versions become one another. */
export function validateConversion({ conversion, preserveUnknownFields }: CustomResourceDefinitionSpec): FieldError[] {
  if (conversion === undefined) return [];
  const { strategy = '', webhook } = conversion;
  const errors: FieldError[] = [];
  if (strategy === '') errors.push(fieldError.required(`${path}.strategy`));
  else if (strategy !== 'None' && strategy !== 'Webhook')
    errors.push(fieldError.notSupported(`${path}.strategy`, strategy, ['None', 'Webhook']));
  if (strategy !== 'None' && preserveUnknownFields === true)
    errors.push(fieldError.invalid(`${path}.strategy`, strategy, 'must be None if spec.preserveUnknownFields is true'));
  if (strategy === 'Webhook') return [...errors, ...validateWebhook(webhook)];
  if (webhook?.clientConfig !== undefined)
    errors.push(
      fieldError.forbidden(`${path}.webhookClientConfig`, 'should not be set when strategy is not set to Webhook'),
    );
  if ((webhook?.conversionReviewVersions ?? []).length > 0)
    errors.push(
      fieldError.forbidden(`${path}.conversionReviewVersions`, 'should not be set when strategy is not set to Webhook'),
    );
  return errors;
}

function validateWebhook(webhook: CustomResourceConversion['webhook']): FieldError[] {
  const config = webhook?.clientConfig;
  const place = `${path}.webhookClientConfig`;
  const errors: FieldError[] = [];
  if (config === undefined) errors.push(fieldError.required(place, 'required when strategy is set to Webhook'));
  else if ((config.url === undefined) === (config.service === undefined))
    errors.push(fieldError.required(place, 'exactly one of url or service is required'));
  else if (config.url !== undefined) errors.push(...validateUrl(config.url, `${place}.url`));
  else errors.push(...validateService(config.service!, `${place}.service`));
  return [...errors, ...validateReviewVersions(webhook?.conversionReviewVersions ?? [])];
}

function validateUrl(text: string, at: string): FieldError[] {
  const refuse = (detail: string): FieldError[] => [fieldError.invalid(at, text, detail)];
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return refuse('url must be a valid URL: parse error; desired format: https://host[/path]');
  }
  if (url.protocol !== 'https:')
    return [
      fieldError.invalid(
        at,
        url.protocol.slice(0, -1),
        "'https' is the only allowed URL scheme; desired format: https://host[/path]",
      ),
    ];
  if (url.host === '') return refuse('host must be specified; desired format: https://host[/path]');
  if (url.username !== '') return refuse('user information is not permitted in the URL');
  if (url.hash !== '') return refuse('fragments are not permitted in the URL');
  return url.search === '' ? [] : refuse('query parameters are not permitted in the URL');
}

function validateService(
  {
    name = '',
    namespace = '',
    port = 443,
  }: { readonly name?: string; readonly namespace?: string; readonly port?: number },
  at: string,
): FieldError[] {
  const errors: FieldError[] = [];
  // Upstream's messages have the two the other way round.
  if (name === '') errors.push(fieldError.required(`${at}.namespace`));
  if (namespace === '') errors.push(fieldError.required(`${at}.name`));
  if (port < 1 || port > 65535)
    errors.push(fieldError.invalid(`${at}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive'));
  return errors;
}

function validateReviewVersions(versions: readonly string[]): FieldError[] {
  const at = `${path}.conversionReviewVersions`;
  if (versions.length === 0) return [fieldError.required(at)];
  const errors = versions.flatMap((version, index) => {
    if (versions.indexOf(version) < index) return [fieldError.invalid(`${at}[${index}]`, version, 'duplicate version')];
    return label1035Problems(version).map((problem) => fieldError.invalid(`${at}[${index}]`, version, problem));
  });
  if (errors.length > 0 || versions.some((version) => reviewVersions.includes(version))) return errors;
  const detail = `must include at least one of ${reviewVersions.join(', ')}`;
  return [fieldError.invalid(at, versions, detail)];
}
