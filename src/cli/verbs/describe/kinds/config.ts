import type {
  ConfigMap,
  LimitRange,
  Namespace,
  ResourceQuota,
  Secret,
  ServiceAccount,
} from '#kinds/generated/types/core_v1.ts';
import { type DescribeOptions, describeEvents, related } from '../related.ts';
import { head, type Sheet } from '../sheet.ts';

const bytesOf = (base64: string): number => Buffer.from(base64, 'base64').length;

export async function describeConfigMap(sheet: Sheet, map: ConfigMap, options: DescribeOptions): Promise<void> {
  head(sheet, map.metadata);
  sheet.raw('\nData\n====\n');
  for (const key of Object.keys(map.data ?? {}).sort()) sheet.raw(`${key}:\n----\n${map.data![key]}\n\n`);
  sheet.raw('\nBinaryData\n====\n');
  for (const key of Object.keys(map.binaryData ?? {}).sort()) {
    sheet.raw(`${key}: ${bytesOf(map.binaryData![key]!)} bytes\n`);
  }
  sheet.raw('\n');
  await describeEvents(sheet, options, { metadata: map.metadata });
}

export async function describeSecret(sheet: Sheet, secret: Secret): Promise<void> {
  head(sheet, secret.metadata);
  sheet.raw(`\nType:\t${secret.type ?? ''}\n`);
  sheet.raw('\nData\n====\n');
  const isToken = secret.type === 'kubernetes.io/service-account-token';
  for (const key of Object.keys(secret.data ?? {}).sort()) {
    const value = secret.data![key]!;
    const shown =
      isToken && key === 'token' ? Buffer.from(value, 'base64').toString('utf8') : `${bytesOf(value)} bytes`;
    sheet.field(key, shown);
  }
}

export async function describeServiceAccount(
  sheet: Sheet,
  account: ServiceAccount,
  options: DescribeOptions,
): Promise<void> {
  const { metadata } = account;
  head(sheet, metadata);
  const secrets = await related<Secret>(options, 'secrets', {
    namespace: metadata.namespace,
    fieldSelector: 'type=kubernetes.io/service-account-token',
  });
  const tokens = secrets.filter(
    (secret) => secret.metadata.annotations?.['kubernetes.io/service-account.uid'] === metadata.uid,
  );
  const names = (list: readonly { readonly name?: string }[] | undefined): readonly string[] =>
    (list ?? []).map(({ name = '' }) => name).sort();
  sheet.list('Image pull secrets', names(account.imagePullSecrets));
  const mountable = names(account.secrets);
  if (mountable.length > 0) sheet.list('Mountable secrets', mountable);
  if (tokens.length > 0) sheet.list('Tokens', tokens.map((secret) => secret.metadata.name ?? '').sort());
  await describeEvents(sheet, options, { metadata });
}

export async function describeNamespace(sheet: Sheet, namespace: Namespace, options: DescribeOptions): Promise<void> {
  const { metadata, status } = namespace;
  sheet.field('Name', metadata.name ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations(metadata.annotations);
  sheet.field('Status', status?.phase ?? '');
  if ((status?.conditions ?? []).length > 0) {
    sheet.line(0, 'Conditions:');
    sheet.line(1, 'Type\tStatus\tLastTransitionTime\tReason\tMessage');
    sheet.line(1, '----\t------\t------------------\t------\t-------');
    for (const { type, status: value, lastTransitionTime, reason, message } of status?.conditions ?? []) {
      sheet.line(1, `${type}\t${value}\t${lastTransitionTime ?? ''}\t${reason ?? ''}\t${message ?? ''}`);
    }
  }
  const quotas = await related<ResourceQuota>(options, 'resourcequotas', { namespace: metadata.name });
  if (quotas.length === 0) sheet.raw('\nNo resource quota.\n');
  else {
    sheet.raw('\nResource Quotas\n');
    for (const quota of quotas) {
      sheet.field('Name', quota.metadata.name ?? '', 1);
      quotaTable(sheet, quota, 1);
    }
  }
  const ranges = await related<LimitRange>(options, 'limitranges', { namespace: metadata.name });
  if (ranges.length === 0) sheet.raw('\nNo LimitRange resource.\n');
  else {
    sheet.raw('\nResource Limits\n');
    limitTable(sheet, ranges, ' ');
  }
}

function quotaTable(sheet: Sheet, { status }: ResourceQuota, level: number): void {
  sheet.line(level, 'Resource\tUsed\tHard');
  sheet.line(level, level === 0 ? '--------\t----\t----' : '--------\t---\t---');
  for (const name of Object.keys(status?.hard ?? {}).sort()) {
    sheet.line(level, `${name}\t${status?.used?.[name] ?? '0'}\t${status!.hard![name]}`);
  }
}

function limitTable(sheet: Sheet, ranges: readonly LimitRange[], indent: string): void {
  sheet.raw(`${indent}Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio\n`);
  sheet.raw(`${indent}----\t--------\t---\t---\t---------------\t-------------\t-----------------------\n`);
  for (const limit of ranges.flatMap(({ spec }) => spec?.limits ?? [])) {
    const { min = {}, max = {}, default: usual = {}, defaultRequest = {}, maxLimitRequestRatio = {} } = limit;
    const columns = [min, max, defaultRequest, usual, maxLimitRequestRatio];
    const names = [...new Set(columns.flatMap((column) => Object.keys(column)))].sort();
    for (const name of names) {
      sheet.raw(`${indent}${[limit.type, name, ...columns.map((column) => column[name] ?? '-')].join('\t')}\n`);
    }
  }
}

export async function describeQuota(sheet: Sheet, quota: ResourceQuota): Promise<void> {
  sheet.field('Name', quota.metadata.name ?? '');
  sheet.field('Namespace', quota.metadata.namespace ?? '');
  const scopes = quota.spec?.scopes ?? [];
  if (scopes.length > 0) sheet.field('Scopes', [...scopes].sort().join(', '));
  quotaTable(sheet, quota, 0);
}

export async function describeLimitRange(sheet: Sheet, range: LimitRange): Promise<void> {
  sheet.field('Name', range.metadata.name ?? '');
  sheet.field('Namespace', range.metadata.namespace ?? '');
  limitTable(sheet, [range], '');
}
