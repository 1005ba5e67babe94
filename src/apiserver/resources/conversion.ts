import type { Kind } from '#kinds/kind.ts';
import { type ApiObject, apiVersionOf } from '#machinery/meta.ts';

type Converter = (object: ApiObject) => ApiObject;

/**
 * How an object of one version becomes another. Most versions of a kind have the same fields and differ in their
 * `apiVersion` alone; the others are listed here, by `group/version/Kind` of source and target.
 */
const special: Readonly<Record<string, Converter>> = {};

export function converterBetween(from: Kind, to: Kind): Converter {
  const apiVersion = apiVersionOf(to);
  const convert = special[`${apiVersionOf(from)}/${from.kind}>${apiVersion}/${to.kind}`];
  return (object) => ({ ...(convert === undefined ? object : convert(object)), apiVersion });
}
