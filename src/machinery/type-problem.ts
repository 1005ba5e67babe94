import { jsonType } from './go-types.ts';
import type { Json, JsonObject } from './meta.ts';

/** Upstream's words where it cannot tell of what kind a text is. */
export function withoutType(why: string): string {
  return `couldn't get version/kind; json parse error: ${why}`;
}

/** What is wrong with a value that says nothing of what it is; undefined where it could say so. */
export function typeProblem(value: Json): string | undefined {
  const problem = (where: string): string => withoutType(`json: cannot unmarshal ${where}`);
  if (value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) {
    const fields = 'APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\""';
    return problem(`${jsonType(value)} into Go value of type struct { ${fields} }`);
  }
  for (const member of ['apiVersion', 'kind']) {
    const { [member]: said = '' } = value as JsonObject;
    if (said !== null && typeof said !== 'string')
      return problem(`${jsonType(said)} into Go struct field .${member} of type string`);
  }
  return undefined;
}
