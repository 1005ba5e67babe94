import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseYaml } from '#machinery/yaml.ts';

interface Written {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly plugins?: readonly {
    readonly name?: string;
    /** Of a file with the plugin's part, relative to this one. */
    readonly path?: string;
    readonly configuration?: unknown;
  }[];
}

const versions = ['apiserver.config.k8s.io/v1', 'apiserver.k8s.io/v1alpha1'];

/**
 * Reads an AdmissionConfiguration (`--admission-control-config-file`): what each plugin is told, by its name.
 * @throws Error that says what is wrong with which file.
 */
export function readAdmissionConfiguration(file: string): Readonly<Record<string, unknown>> {
  const { apiVersion = '', kind = '', plugins = [] } = (read(file) ?? {}) as Written;
  if (kind !== 'AdmissionConfiguration' || !versions.includes(apiVersion))
    throw new Error(`${file}: no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
  const configurations: Record<string, unknown> = {};
  for (const [index, { name = '', path = '', configuration }] of plugins.entries()) {
    if (name === '') throw new Error(`${file}: plugins[${index}].name: Required value`);
    if (Object.hasOwn(configurations, name))
      throw new Error(`${file}: plugins[${index}].name: Duplicate value: ${JSON.stringify(name)}`);
    configurations[name] = configuration ?? (path === '' ? undefined : read(resolve(dirname(file), path)));
  }
  return configurations;
}

function read(file: string): unknown {
  try {
    return parseYaml(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
