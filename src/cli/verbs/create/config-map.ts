import type { JsonObject } from '#machinery/meta.ts';
import { arrayFlag, booleanFlag } from '../../flags.ts';
import { contentHash } from '../../manifests/content-hash.ts';
import { defineGenerator } from '../../manifests/generate.ts';
import { metadataOf, withMetadata } from '../../manifests/objects.ts';
import { dataSources } from './data-sources.ts';

export const sourceFlags = {
  'append-hash': booleanFlag('Append a hash of the contents to its name.'),
  'from-env-file': arrayFlag('Specify the path to a file to read lines of key=val pairs.'),
  'from-file': arrayFlag(
    'Key file can be specified using its file path, in which case file basename will be used as key, or optionally with a key and file path, in which case the given key will be used. Specifying a directory will iterate each named file in the directory whose basename is a valid key.',
  ),
  'from-literal': arrayFlag('Specify a key and literal value to insert (i.e. mykey=somevalue)'),
} as const;

export const configMap = defineGenerator({
  name: 'configmap',
  aliases: ['cm'],
  summary: 'Create a config map from a local file, directory or literal value',
  usage: 'NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]',
  flags: sourceFlags,
  build({ name, flags }) {
    const data: Record<string, string> = {};
    const binaryData: Record<string, string> = {};
    for (const [key, bytes] of dataSources(flags, `ConfigMap ${JSON.stringify(name)}`)) {
      const text = utf8Of(bytes);
      if (text === undefined) binaryData[key] = bytes.toString('base64');
      else data[key] = text;
    }
    const configMap: JsonObject = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name },
      ...(Object.keys(data).length === 0 ? {} : { data }),
      ...(Object.keys(binaryData).length === 0 ? {} : { binaryData }),
    };
    if (!flags['append-hash']) return configMap;
    const hashed = {
      ...(Object.keys(binaryData).length === 0 ? {} : { binaryData }),
      data: Object.keys(data).length === 0 ? '' : data,
      kind: 'ConfigMap',
      name,
    };
    return withHash(configMap, hashed);
  },
});

function utf8Of(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The object with a hash of what it holds behind its name. */
export function withHash(object: JsonObject, hashed: JsonObject): JsonObject {
  return withMetadata(object, { name: `${metadataOf(object).name}-${contentHash(hashed)}` });
}
