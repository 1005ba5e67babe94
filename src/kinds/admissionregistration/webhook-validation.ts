import type {
  MatchCondition,
  MutatingWebhook,
  RuleWithOperations,
  ServiceReference,
  WebhookClientConfig,
} from '#kinds/generated/types/admissionregistration_v1.ts';
import { each, invalidAll, oneOf, validateLabelSelector } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { parseGoUrl } from '#machinery/go-url.ts';
import {
  label1035Problems,
  label1123Problems,
  labelKeyProblems,
  portNumberProblems,
  subdomainProblems,
} from '#machinery/names.ts';

/** Mutating webhooks have every field of validating ones. */
type Webhook = MutatingWebhook;
interface Configuration {
  readonly webhooks?: readonly Webhook[];
}

/** What is wrong with a CEL expression; undefined when it compiles. */
export type CompileCondition = (expression: string) => string | undefined;

const reviewVersions = ['v1', 'v1beta1'];
const sideEffects = ['None', 'NoneOnDryRun'];
const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const maxConditions = 64;

/** Everything wrong with a webhook configuration; on an update, what was wrong before may stay. */
export function validateWebhooks(
  { webhooks }: Configuration,
  old: Configuration | undefined,
  compileCondition: CompileCondition,
): FieldError[] {
  const names = new Set<string>();
  const hadGoodVersions = old === undefined || (old.webhooks ?? []).every(knowsVersion);
  const hadDuplicates = new Set(old?.webhooks?.map(({ name }) => name)).size < (old?.webhooks?.length ?? 0);
  const hadSideEffects = old?.webhooks?.some((webhook) => !sideEffects.includes(webhook.sideEffects)) === true;
  return each(webhooks, 'webhooks', (webhook, path) => {
    const errors = [
      ...validateWebhook(webhook, path, hadSideEffects ? [...sideEffects, 'Some', 'Unknown'] : sideEffects),
      ...validateConditions(webhook.matchConditions, `${path}.matchConditions`, compileCondition),
      ...validateReviewVersions(webhook, `${path}.admissionReviewVersions`, hadGoodVersions),
    ];
    if (!hadDuplicates && names.has(webhook.name)) errors.push(fieldError.duplicate(`${path}.name`, webhook.name));
    names.add(webhook.name);
    return errors;
  });
}

function validateWebhook(webhook: Webhook, path: string, allowedSideEffects: readonly string[]): FieldError[] {
  const { timeoutSeconds } = webhook;
  const errors = [
    ...validateQualifiedName(webhook.name ?? '', `${path}.name`),
    ...each(webhook.rules, `${path}.rules`, validateRule),
    ...oneOf(webhook.failurePolicy, ['Fail', 'Ignore'], `${path}.failurePolicy`),
    ...oneOf(webhook.matchPolicy, ['Equivalent', 'Exact'], `${path}.matchPolicy`),
  ];
  if (webhook.sideEffects === undefined)
    errors.push(fieldError.required(`${path}.sideEffects`, `must specify one of ${allowedSideEffects.join(', ')}`));
  else errors.push(...oneOf(webhook.sideEffects, allowedSideEffects, `${path}.sideEffects`));
  if (timeoutSeconds !== undefined && (timeoutSeconds > 30 || timeoutSeconds < 1)) {
    const detail = 'the timeout value must be between 1 and 30 seconds';
    errors.push(fieldError.invalid(`${path}.timeoutSeconds`, timeoutSeconds, detail));
  }
  return [
    ...errors,
    ...validateLabelSelector(webhook.namespaceSelector, `${path}.namespaceSelector`),
    ...validateLabelSelector(webhook.objectSelector, `${path}.objectSelector`),
    ...oneOf(webhook.reinvocationPolicy, ['IfNeeded', 'Never'], `${path}.reinvocationPolicy`),
    ...validateClientConfig(webhook.clientConfig ?? {}, `${path}.clientConfig`),
  ];
}

/** A name of at least three parts, as in `a.example.com`. */
function validateQualifiedName(name: string, path: string): FieldError[] {
  if (name === '') return [fieldError.required(path)];
  const problems = subdomainProblems(name);
  if (problems.length > 0) return [fieldError.invalid(path, name, problems.join(','))];
  const parts = name.split('.');
  if (parts.length < 3)
    return [fieldError.invalid(path, name, 'should be a domain with at least three segments separated by dots')];
  return parts.flatMap((label) => {
    const wrong = label1123Problems(label);
    return wrong.length === 0 ? [] : [fieldError.invalid(path, label, wrong.join(','))];
  });
}

export function validateRule(rule: RuleWithOperations, path: string): FieldError[] {
  const { operations: wanted = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule;
  return [
    ...validateList(wanted, `${path}.operations`, "if '*' is present, must not specify other operations"),
    ...each(wanted, `${path}.operations`, (operation, at) => oneOf(operation, operations, at)),
    ...validateList(apiGroups, `${path}.apiGroups`, "if '*' is present, must not specify other API groups"),
    ...validateList(apiVersions, `${path}.apiVersions`, "if '*' is present, must not specify other API versions"),
    ...each(apiVersions, `${path}.apiVersions`, (version, at) => (version === '' ? [fieldError.required(at)] : [])),
    ...validateResources(resources, `${path}.resources`),
    ...oneOf(scope, ['*', 'Cluster', 'Namespaced'], `${path}.scope`),
  ];
}

function validateList(values: readonly string[], path: string, alone: string): FieldError[] {
  if (values.length === 0) return [fieldError.required(path)];
  return values.length > 1 && values.includes('*') ? [fieldError.invalid(path, values, alone)] : [];
}

function validateResources(resources: readonly string[], path: string): FieldError[] {
  if (resources.length === 0) return [fieldError.required(path)];
  const wholeResources = new Set<string>();
  const everySubresource = new Set<string>();
  const errors = each(resources, path, (text, at) => {
    if (text === '') return [fieldError.required(at)];
    const slash = text.indexOf('/');
    if (slash < 0) return [];
    const [resource, subresource] = [text.slice(0, slash), text.slice(slash + 1)];
    const found: FieldError[] = [];
    const taken = (pattern: string): void => {
      found.push(fieldError.invalid(at, text, `if '${pattern}' is present, must not specify ${text}`));
    };
    if (wholeResources.has(resource)) taken(`${resource}/*`);
    if (everySubresource.has(subresource)) taken(`*/${subresource}`);
    if (subresource === '*') wholeResources.add(resource);
    if (resource === '*') everySubresource.add(subresource);
    return found;
  });
  if (resources.length > 1 && resources.includes('*/*'))
    errors.push(fieldError.invalid(path, resources, "if '*/*' is present, must not specify other resources"));
  const lastWhole = resources.findLast((text) => text !== '' && !text.includes('/'));
  if (resources.includes('*') && lastWhole !== undefined && lastWhole !== '*') {
    const detail = "if '*' is present, must not specify other resources without subresources";
    errors.push(fieldError.invalid(path, resources, detail));
  }
  return errors;
}

function knowsVersion({ admissionReviewVersions: versions = [] }: Webhook): boolean {
  return versions.length === 0 || versions.some((version) => reviewVersions.includes(version));
}

function validateReviewVersions(webhook: Webhook, path: string, isStrict: boolean): FieldError[] {
  const versions = webhook.admissionReviewVersions ?? [];
  if (versions.length === 0) return [fieldError.required(path, `must specify one of ${reviewVersions.join(', ')}`)];
  const seen = new Set<string>();
  const errors = each(versions, path, (version, at) => {
    if (seen.has(version)) return [fieldError.invalid(at, version, 'duplicate version')];
    seen.add(version);
    return invalidAll(at, version, label1035Problems(version));
  });
  if (isStrict && !knowsVersion(webhook)) {
    const detail = `must include at least one of ${reviewVersions.join(', ')}`;
    errors.push(fieldError.invalid(path, versions, detail));
  }
  return errors;
}

function validateClientConfig({ url, service }: WebhookClientConfig, path: string): FieldError[] {
  if ((url === undefined) === (service === undefined))
    return [fieldError.required(path, 'exactly one of url or service is required')];
  if (url !== undefined) return validateWebhookUrl(url, `${path}.url`);
  return validateWebhookService(service!, `${path}.service`);
}

export function validateWebhookService(
  { name = '', namespace = '', port = 443, path: at }: Partial<ServiceReference>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  // Upstream mixes the two up.
  if (namespace === '') errors.push(fieldError.required(`${path}.name`));
  if (name === '') errors.push(fieldError.required(`${path}.namespace`));
  const portProblems = portNumberProblems(port);
  if (portProblems.length > 0)
    errors.push(fieldError.invalid(`${path}.port`, port, `port is not valid: ${portProblems.join(', ')}`));
  return [...errors, ...validatePath(at, `${path}.path`)];
}

const desiredForm = '; desired format: https://host[/path]';

export function validateWebhookUrl(text: string, path: string): FieldError[] {
  const url = parseGoUrl(text);
  if (url instanceof Error) return [fieldError.required(path, `url must be a valid URL: ${url.message}${desiredForm}`)];
  const { scheme, host, user, fragment, query } = url;
  const errors: FieldError[] = [];
  if (scheme !== 'https')
    errors.push(fieldError.invalid(path, scheme, `'https' is the only allowed URL scheme${desiredForm}`));
  if (host === '') errors.push(fieldError.invalid(path, '', `host must be specified${desiredForm}`));
  if (user !== undefined) errors.push(fieldError.invalid(path, user, 'user information is not permitted in the URL'));
  if (fragment !== '') errors.push(fieldError.invalid(path, fragment, 'fragments are not permitted in the URL'));
  if (query !== '') errors.push(fieldError.invalid(path, query, 'query parameters are not permitted in the URL'));
  return errors;
}

function validatePath(text: string | undefined, path: string): FieldError[] {
  if (text === undefined || text === '' || text === '/') return [];
  if (text === '//') return [fieldError.invalid(path, text, 'segment[0] may not be empty')];
  const errors = text.startsWith('/') ? [] : [fieldError.invalid(path, text, "must start with a '/'")];
  const segments = text.slice(1).replace(/\/$/, '').split('/');
  return [
    ...errors,
    ...segments.flatMap((segment, index) => {
      if (segment === '') return [fieldError.invalid(path, text, `segment[${index}] may not be empty`)];
      return subdomainProblems(segment).map((problem) =>
        fieldError.invalid(path, text, `segment[${index}]: ${problem}`),
      );
    }),
  ];
}

/** `matchConditions` of webhooks and policies. */
export function validateConditions(
  conditions: readonly MatchCondition[] | undefined,
  path: string,
  compileCondition: CompileCondition,
): FieldError[] {
  const count = conditions?.length ?? 0;
  const names = new Set<string>();
  const errors = count > maxConditions ? [fieldError.tooMany(path, count, maxConditions)] : [];
  return [
    ...errors,
    ...each(conditions, path, ({ name = '', expression = '' }, at) => {
      const found: FieldError[] = [];
      const trimmed = expression.trim();
      const problem = trimmed === '' ? undefined : compileCondition(trimmed);
      if (trimmed === '') found.push(fieldError.required(`${at}.expression`));
      if (problem !== undefined) found.push(fieldError.invalid(`${at}.expression`, trimmed, problem));
      if (name === '') found.push(fieldError.required(`${at}.name`));
      else found.push(...invalidAll(`${at}.name`, name, labelKeyProblems(name)));
      if (name !== '' && names.has(name)) found.push(fieldError.duplicate(`${at}.name`, name));
      names.add(name);
      return found;
    }),
  ];
}
