import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { kubeconfigPaths } from '#client/http/kubeconfig.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { dumpYaml, parseYaml } from '#machinery/yaml.ts';
import type { CommandContext } from '../../context.ts';

export type Section = 'clusters' | 'contexts' | 'users';
/** The key that holds an entry's content, by its list. */
export const contentKey = { clusters: 'cluster', contexts: 'context', users: 'user' } as const;

/** An entry of one of a kubeconfig's lists. */
export interface Entry {
  readonly name: string;
  readonly content: JsonObject;
}

/** A kubeconfig file as data; what is not known here stays as it is. */
export type ConfigData = JsonObject;

export function pathsOf(context: CommandContext): readonly string[] {
  return kubeconfigPaths(context.globals.kubeconfig, context.io.env);
}

export function readConfigFile(path: string): ConfigData {
  if (!existsSync(path)) return {};
  const parsed = parseYaml(readFileSync(path, 'utf8'));
  return typeof parsed === 'object' && parsed !== null ? (parsed as ConfigData) : {};
}

export function entriesOf(config: ConfigData, section: Section): readonly Entry[] {
  const list = (config[section] ?? []) as readonly JsonObject[];
  return list.map((entry) => ({
    name: String(entry['name'] ?? ''),
    content: (entry[contentKey[section]] ?? {}) as JsonObject,
  }));
}

export function withEntries(config: ConfigData, section: Section, entries: readonly Entry[]): ConfigData {
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    ...config,
    [section]: sorted.map(({ name, content }) => ({ [contentKey[section]]: content as Json, name })),
  };
}

/** With this entry in place of the one of its name. */
export function withEntry(config: ConfigData, section: Section, entry: Entry): ConfigData {
  return withEntries(config, section, [...entriesOf(config, section).filter(({ name }) => name !== entry.name), entry]);
}

/**
 * The file that a change belongs to: the one that has the entry, else the first that exists, else the last named
 * (client-go's loading rules).
 */
export function fileFor(context: CommandContext, has: (config: ConfigData) => boolean = () => false): string {
  const paths = pathsOf(context);
  const owner = paths.find((path) => existsSync(path) && has(readConfigFile(path)));
  return owner ?? paths.find((path) => existsSync(path)) ?? paths.at(-1) ?? '';
}

/** Replaces the file as a whole: a reader never sees half of it. */
export function writeConfigFile(path: string, config: ConfigData): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const whole: ConfigData = {
    clusters: [],
    contexts: [],
    'current-context': '',
    users: [],
    ...config,
    apiVersion: 'v1',
    kind: 'Config',
  };
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, dumpYaml(whole), { mode: 0o600 });
  renameSync(temporary, path);
}
