import type { JsonObject } from '#machinery/meta.ts';
import { CliError } from '../../failures.ts';
import type { ObjectPrinter } from '../printers.ts';

/** Compiles a Go template. Throws CliError. */
export function compileGoTemplate(_source: string, _options: { readonly allowMissingKeys: boolean }): ObjectPrinter {
  return (_object: JsonObject) => {
    throw new CliError('go-template is not supported yet');
  };
}
