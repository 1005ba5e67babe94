import { inOneText, typeProblems } from '#machinery/apply/typed.ts';
import { type ApiObject, type Json, type JsonObject, parseApiVersion } from '#machinery/meta.ts';
import type { CustomForm, CustomVersion } from '../resources/custom-form.ts';
import type { ConvertObjects } from './conversion/convert.ts';
import type { StructuralNode } from './structural/node.ts';
import { prune } from './structural/prune.ts';

/**
 * How objects of a custom kind are seen in another version, served or not, where fields are owned there. Unlike an
 * answer such an object keeps everything that its converter says, and must fit its version.
 * @param convert undefined: versions differ in their `apiVersion` alone.
 */
export function versionChange(
  group: string,
  versions: ReadonlyMap<string, CustomVersion & { readonly root: StructuralNode }>,
  convert: ConvertObjects | undefined,
): Pick<CustomForm, 'version' | 'inVersion'> {
  const shapeOf = (apiVersion: string): (CustomVersion & { readonly root: StructuralNode }) | undefined => {
    const parsed = parseApiVersion(apiVersion);
    return parsed.group === group ? versions.get(parsed.version) : undefined;
  };
  const fitting = (object: JsonObject, apiVersion: string): JsonObject => {
    const { root, schema } = shapeOf(apiVersion)!;
    const undeclared = prune(object, root).unknown.map((path) => `.${path}: field not declared in schema`);
    const problems = [...undeclared, ...typeProblems(object, schema)];
    if (problems.length > 0) throw new Error(inOneText(problems));
    return object;
  };
  return {
    version: shapeOf,
    inVersion(object, apiVersion) {
      if (shapeOf(apiVersion) === undefined)
        throw new Error(`request to convert CR to an invalid group/version: ${apiVersion}`);
      if (convert === undefined) return fitting({ ...object, apiVersion }, apiVersion);
      return convert([object as unknown as ApiObject], apiVersion).then(([converted]) =>
        fitting(converted as unknown as Json as JsonObject, apiVersion),
      );
    },
  };
}
