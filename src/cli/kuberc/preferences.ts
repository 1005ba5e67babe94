import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { JsonObject } from '#machinery/meta.ts';
import { dumpYaml, parseYaml, parseYamlDocuments } from '#machinery/yaml.ts';
import type { CliIo } from '../context.ts';
import { CliError, ExitError } from '../failures.ts';

/** A flag and its value, in long form without dashes. */
export interface Option {
  readonly name: string;
  readonly default: string;
}

export interface Alias {
  readonly name: string;
  /** `get`, `set env`. */
  readonly command: string;
  readonly prependArgs?: readonly string[];
  readonly appendArgs?: readonly string[];
  readonly options?: readonly Option[];
}

export interface Defaults {
  readonly command: string;
  readonly options: readonly Option[];
}

/** A person's preferences, in a file of their own (KEP-3104). */
export interface Preferences {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly defaults: readonly Defaults[];
  readonly aliases: readonly Alias[];
  readonly credentialPluginPolicy?: string;
  readonly credentialPluginAllowlist?: readonly { readonly command: string }[];
}

export const emptyPreferences: Preferences = {
  apiVersion: 'kubectl.config.k8s.io/v1beta1',
  kind: 'Preference',
  defaults: [],
  aliases: [],
};

/** What upstream recommends to somebody who has none. */
export const recommendedPreferences: Preferences = {
  ...emptyPreferences,
  defaults: [
    { command: 'apply', options: [{ name: 'server-side', default: 'true' }] },
    { command: 'delete', options: [{ name: 'interactive', default: 'true' }] },
  ],
};

export interface PreferencesFile {
  readonly path: string;
  /** Somebody named it, so it must be there. */
  readonly isExplicit: boolean;
}

/** The value of `--kuberc`, wherever it stands. Throws ExitError where it names no file. */
export function kubercFlag(args: readonly string[]): string | undefined {
  const dash = args.indexOf('--');
  const given = dash < 0 ? args : args.slice(0, dash);
  const at = given.findIndex((arg) => arg === '--kuberc' || arg.startsWith('--kuberc='));
  if (at < 0) return undefined;
  const value = given[at] === '--kuberc' ? given[at + 1] : given[at]!.slice('--kuberc='.length);
  if (value === undefined || value === '') throw notApplied('kuberc file is not found');
  return value;
}

/** From `--kuberc`, KUBERC or the home folder; undefined where preferences are off. Throws ExitError. */
export function preferencesFile({ env }: CliIo, flag: string | undefined): PreferencesFile | undefined {
  const variable = env['KUBERC'] ?? '';
  if (variable === 'off') {
    if ((flag ?? '') === '') return undefined;
    throw notApplied('disabling kuberc via KUBERC=off and passing kuberc flag are mutually exclusive');
  }
  if (flag !== undefined && flag !== '') return { path: flag, isExplicit: true };
  if (variable !== '') return { path: variable, isExplicit: true };
  const home = env['HOME'] ?? '';
  return home === '' ? undefined : { path: join(home, '.kube', 'kuberc'), isExplicit: false };
}

/** The preferences that a command line is to be read with; undefined when there are none. Throws ExitError. */
export function loadPreferences(io: CliIo, { path, isExplicit }: PreferencesFile): Preferences | undefined {
  let found: Preferences | undefined;
  try {
    found = decode(readText(path));
    if (found === undefined) throw new Error(`no valid preferences found in ${path}, use --v=5 to see details`);
  } catch (error) {
    const problem = (error as Error).message;
    if (isExplicit) throw notApplied(`kuberc error kuberc: ${problem}`);
    io.stderr.write(`kuberc: no preferences loaded from ${path}: ${problem}\n`);
    return undefined;
  }
  return checked(found);
}

/** Preferences that cannot be followed end a command before it begins. */
export const notApplied = (why: string): ExitError =>
  new ExitError(1, `error occurred while applying preferences ${why}`);

function readText(path: string): string {
  if (!existsSync(path)) throw new Error(`open ${path}: no such file or directory`);
  return readFileSync(path, 'utf8');
}

function decode(text: string): Preferences | undefined {
  const found = parseYamlDocuments(text).find((document) => {
    const { kind, apiVersion } = (document ?? {}) as JsonObject;
    return kind === 'Preference' && /^kubectl\.config\.k8s\.io\/v1(alpha1|beta1)$/.test(String(apiVersion));
  });
  return found === undefined ? undefined : complete(found as JsonObject);
}

function complete(object: JsonObject): Preferences {
  const { defaults, aliases, overrides } = object;
  return { ...object, defaults: defaults ?? overrides ?? [], aliases: aliases ?? [] } as unknown as Preferences;
}

function checked(preferences: Preferences): Preferences {
  const names = new Set<string>();
  for (const { name } of preferences.aliases) {
    if (!/^[a-zA-Z]+$/.test(name)) throw notApplied('invalid alias name, can only include alphabetical characters');
    if (names.has(name)) throw notApplied(`duplicate alias name ${name}`);
    names.add(name);
  }
  for (const { options = [] } of [...preferences.aliases, ...preferences.defaults]) {
    const dashed = options.find(({ name }) => name.startsWith('-'));
    if (dashed !== undefined) throw notApplied(`flag name ${dashed.name} should be in long form without dashes`);
  }
  return preferences;
}

/** The file as it stands, for showing and changing it; undefined when there is none. Throws CliError. */
export function readPreferences(path: string): Preferences | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const value = parseYaml(readFileSync(path, 'utf8'));
    return value === null ? emptyPreferences : complete(value as JsonObject);
  } catch (error) {
    throw new CliError(`error parsing kuberc file: ${(error as Error).message}`);
  }
}

export function writePreferences(path: string, preferences: Preferences): void {
  mkdirSync(dirname(path), { recursive: true });
  const { defaults, aliases } = preferences;
  const orNull = (list: readonly object[]): readonly object[] | null => (list.length === 0 ? null : list);
  writeFileSync(path, dumpYaml({ ...preferences, defaults: orNull(defaults), aliases: orNull(aliases) } as never));
}
