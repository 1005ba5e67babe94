/**
 * `node:http`, loaded when it is first used. To load it for a program's own use loads Node's fetch with it, a tenth of
 * what a start takes; servers do without.
 */
export function nodeHttp(): typeof import('node:http') {
  return process.getBuiltinModule('node:http');
}
