import { ApiError, type FieldError } from '#machinery/errors.ts';
import type { JsonObject } from '#machinery/meta.ts';

const unavailable = (): never => {
  throw new ApiError(415, 'UnsupportedMediaType', 'this patch type is not there yet');
};
export const applyJsonPatch = (_original: JsonObject, _patch: unknown): unknown => unavailable();
export function applyMergePatch(original: unknown, patch: unknown): unknown {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> =
    original !== null && typeof original === 'object' && !Array.isArray(original) ? { ...original } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = applyMergePatch(result[key], value);
  }
  return result;
}
export const applyStrategicPatch = (original: JsonObject, patch: JsonObject, _schema: unknown): unknown =>
  applyMergePatch(original, patch);
export const validateObjectMeta = (_metadata: unknown, _options: unknown): FieldError[] => [];
export const validateObjectMetaUpdate = (_metadata: unknown, _old: unknown): FieldError[] => [];
export const applyObject = (_registry: unknown, _operation: unknown): never => unavailable();
