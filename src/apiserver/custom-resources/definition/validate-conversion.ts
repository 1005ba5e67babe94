import { validateWebhookService, validateWebhookUrl } from '#kinds/admissionregistration/webhook-validation.ts';
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
  if (strategy !== 'None' && preserveUnknownFields === true)
    errors.push(fieldError.invalid(`${path}.strategy`, strategy, 'must be None if spec.preserveUnknownFields is true'));
  if (strategy === '') errors.push(fieldError.required(`${path}.strategy`));
  else if (strategy !== 'None' && strategy !== 'Webhook')
    errors.push(fieldError.notSupported(`${path}.strategy`, strategy, ['None', 'Webhook']));
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
  else if (config.url !== undefined) errors.push(...validateWebhookUrl(config.url, `${place}.url`));
  else errors.push(...validateWebhookService(config.service!, `${place}.service`));
  return [...errors, ...validateReviewVersions(webhook?.conversionReviewVersions ?? [])];
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
