import { load } from 'js-yaml';
import { versionInfo } from '#apiserver/http/version.ts';
import type { MetricFilterOptions } from '#base/metric-filter.ts';
import { FlagError, type Flags } from './flags.ts';
import { fileOf } from './options.ts';

/** What kube-apiserver's flags say of metrics (KEP-1209, KEP-2305). @throws FlagError for what cannot be read. */
export function metricOptions(flags: Flags): MetricFilterOptions {
  const previous = `${versionInfo.major}.${Number(versionInfo.minor) - 1}`;
  const version = flags.text('show-hidden-metrics-for-version') ?? '';
  if (version !== '' && version !== previous)
    throw new FlagError(
      `--show-hidden-metrics-for-version must be omitted or have the value '${previous}'. Only the previous minor version is allowed`,
    );
  return {
    disabled: flags.list('disabled-metrics') ?? [],
    allowedLabels: Object.fromEntries([...fromManifest(flags), ...fromFlag(flags)]),
  };
}

type Allowed = readonly [key: string, values: readonly string[]];

/** A file of `METRIC,LABEL: VALUES`, the values with commas between them. */
function fromManifest(flags: Flags): readonly Allowed[] {
  const [text] = fileOf(flags, 'allow-metric-labels-manifest');
  if (text === undefined) return [];
  const map = load(text) as Readonly<Record<string, string>> | undefined;
  return Object.entries(map ?? {}).map(([key, values]) => allowed(key, String(values)));
}

/** Pairs as a line of CSV, so that commas stand in quotes: `"metric,label=one,two","other,label=three"`. */
function fromFlag(flags: Flags): readonly Allowed[] {
  return (
    flags.all('allow-metric-labels')?.flatMap((line) =>
      csvFields(line).map((field) => {
        const at = field.indexOf('=');
        if (at < 0)
          throw new FlagError(
            `invalid argument ${JSON.stringify(line)} for "--allow-metric-labels" flag: ${field} must be formatted as key=value`,
          );
        return allowed(field.slice(0, at), field.slice(at + 1));
      }),
    ) ?? []
  );
}

function allowed(key: string, values: string): Allowed {
  if (!/^[a-zA-Z_:][\w:]*,[a-zA-Z_]\w*$/.test(key.trim()))
    throw new FlagError(`--allow-metric-labels has a key with wrong format, expected metricName,labelName: ${key}`);
  return [key.trim(), values.split(',').map((value) => value.trim())];
}

function csvFields(line: string): readonly string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? plain! : quoted.replaceAll('""', '"'),
  );
}
