import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../context.ts';
import type { ResourceInfo } from '../discovery/mapper.ts';
import { CliError } from '../failures.ts';

/** Where an object from a file belongs, once the command line has had its say. */
export interface PlacedObject {
  readonly info: ResourceInfo;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly object: JsonObject;
}

/**
 * Finds the resource of an object from a file and its namespace: its own, else the command's. Throws CliError when
 * `--namespace` says otherwise than the object.
 */
export async function placeManifest(context: CommandContext, object: JsonObject): Promise<PlacedObject> {
  const mapper = await context.mapper();
  const {
    apiVersion,
    kind,
    metadata = {},
  } = object as {
    apiVersion: string;
    kind: string;
    metadata?: { readonly name?: string; readonly namespace?: string };
  };
  const info = mapper.kind(apiVersion, kind);
  const name = metadata.name ?? '';
  if (!info.namespaced) return { info, namespace: undefined, name, object };
  const own = metadata.namespace ?? '';
  if (own !== '' && context.namespaceIsExplicit && own !== context.namespace()) {
    throw new CliError(
      `the namespace from the provided object "${own}" does not match the namespace "${context.namespace()}". You must pass '--namespace=${own}' to perform this operation.`,
    );
  }
  const namespace = own === '' ? context.namespace() : own;
  return { info, namespace, name, object: { ...object, metadata: { ...(metadata as JsonObject), namespace } } };
}
