import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CliError } from '../../failures.ts';

export interface SourceQuestion {
  readonly 'from-env-file': readonly string[];
  readonly 'from-file': readonly string[];
  readonly 'from-literal': readonly string[];
}

const keyPattern = /^[-._a-zA-Z0-9]+$/;

/**
 * Keys and their bytes, from files, folders, literals and environment files. Throws CliError.
 * @param holder `Secret "door"`, for messages
 */
export function dataSources(question: SourceQuestion, holder: string): ReadonlyMap<string, Buffer> {
  const { 'from-env-file': envFiles, 'from-file': files, 'from-literal': literals } = question;
  if (envFiles.length > 0 && (files.length > 0 || literals.length > 0)) {
    throw new CliError('from-env-file cannot be combined with from-file or from-literal');
  }
  const data = new Map<string, Buffer>();
  const add = (key: string, bytes: Buffer): void => {
    if (!keyPattern.test(key) || key === '.' || key === '..') {
      throw new CliError(
        `"${key}" is not a valid key name for a ${holder.split(' ')[0]}: a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
      );
    }
    if (data.has(key))
      throw new CliError(`cannot add key "${key}", another key by that name already exists in Data for ${holder}`);
    data.set(key, bytes);
  };
  for (const text of literals) {
    const equals = text.indexOf('=');
    if (equals <= 0) throw new CliError(`invalid literal source ${text}, expected key=value`);
    add(text.slice(0, equals), Buffer.from(text.slice(equals + 1)));
  }
  for (const text of files) for (const [key, path] of filesOf(text)) add(key, read(path));
  for (const path of envFiles)
    for (const [key, value] of envPairs(read(path).toString('utf8'))) add(key, Buffer.from(value));
  return data;
}

function filesOf(text: string): readonly (readonly [string, string])[] {
  const equals = text.indexOf('=');
  if (equals === 0) throw new CliError(`key name for file path ${text.slice(1)} missing`);
  const key = equals < 0 ? undefined : text.slice(0, equals);
  const path = text.slice(equals + 1);
  if (path === '') throw new CliError(`file path for key name ${key} missing`);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new CliError(`error reading ${path}: no such file or directory`);
  if (!stats.isDirectory()) return [[key ?? basename(path), path]];
  if (key !== undefined) throw new CliError('cannot give a key name for a directory path');
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => statSync(join(path, entry.name)).isFile() && keyPattern.test(entry.name))
    .map(({ name }) => [name, join(path, name)] as const);
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CliError(`error reading ${path}: ${(error as Error).message}`);
  }
}

/** Lines of `KEY=value`; a key alone takes its value from the environment. */
function envPairs(text: string): readonly (readonly [string, string])[] {
  return text.split(/\r?\n/).flatMap((line, index): [string, string][] => {
    const pair = line.trimStart();
    if (pair === '' || pair.startsWith('#')) return [];
    const equals = pair.indexOf('=');
    const key = equals < 0 ? pair : pair.slice(0, equals);
    if (!/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(key)) {
      throw new CliError(`"${key}" is not a valid key name in line ${index + 1} of the environment file`);
    }
    const value = equals < 0 ? process.env[key] : pair.slice(equals + 1);
    return value === undefined ? [] : [[key, value]];
  });
}
