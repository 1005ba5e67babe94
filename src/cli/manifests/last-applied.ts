import { parseJson } from '#machinery/json.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { CliError } from '../failures.ts';
import { goJson, metadataOf, withMetadata } from './objects.ts';

/** Holds the manifest that was applied last, from which the next apply learns what has been taken out. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** The manifest with itself in the annotation. */
export function withLastApplied(object: JsonObject): JsonObject {
  const { [lastAppliedAnnotation]: _, ...annotations } = metadataOf(object).annotations ?? {};
  const text = `${goJson(withMetadata(object, { annotations }))}\n`;
  return withMetadata(object, { annotations: { ...annotations, [lastAppliedAnnotation]: text } });
}

export function lastAppliedText(object: JsonObject): string | undefined {
  return metadataOf(object).annotations?.[lastAppliedAnnotation];
}

/** The manifest applied last; undefined when there was none. Throws CliError when it is no JSON. */
export function lastApplied(object: JsonObject): JsonObject | undefined {
  const text = lastAppliedText(object);
  if (text === undefined || text === '') return undefined;
  try {
    return parseJson(Buffer.from(text)) as JsonObject;
  } catch (error) {
    throw new CliError(`the annotation ${lastAppliedAnnotation} is no JSON: ${(error as Error).message}`);
  }
}

/** What notes a manifest as the one that was applied last, without applying it. */
export function annotationPatch(manifest: JsonObject): JsonObject {
  return { metadata: { annotations: { [lastAppliedAnnotation]: `${goJson(manifest)}\n` } } };
}
