import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Descriptions } from '#apiserver/openapi/types.ts';
import type { Log } from '#base/log.ts';

/** Descriptions of a type and of its fields, by type name. */
type Table = Readonly<Record<string, readonly [string, Readonly<Record<string, string>>]>>;

const nothing: Descriptions = () => undefined;

/**
 * What `kubectl explain` says about types and fields. A release has the table beside its program; in a checkout it is
 * made from development dependencies when somebody first asks. Without either, the server describes nothing.
 */
export async function loadDescriptions(log: Log): Promise<Descriptions> {
  try {
    const file = await tableFile();
    return file === undefined ? nothing : describeFrom(JSON.parse(await readFile(file, 'utf8')) as Table);
  } catch (error) {
    log.warn('types and fields stay without descriptions', { error: String(error) });
    return nothing;
  }
}

function describeFrom(table: Table): Descriptions {
  return (type, field) => {
    const described = Object.hasOwn(table, type) ? table[type] : undefined;
    if (described === undefined) return undefined;
    const [about, fields] = described;
    if (field === undefined) return about === '' ? undefined : about;
    return Object.hasOwn(fields, field) ? fields[field] : undefined;
  };
}

async function tableFile(): Promise<string | undefined> {
  const released = join(import.meta.dirname, 'descriptions.json');
  if (existsSync(released)) return released;
  const checkout = join(import.meta.dirname, '..', '..');
  const tool = join(checkout, 'tools', 'build-descriptions.ts');
  const packages = join(checkout, 'node_modules');
  if (!existsSync(tool) || !existsSync(join(packages, 'kubernetes-models'))) return undefined;
  const cached = join(packages, '.cache', 'proa', 'descriptions.json');
  if (!existsSync(cached)) {
    const { execFile } = await import('node:child_process');
    await promisify(execFile)(process.execPath, [tool, cached]);
  }
  return cached;
}
