import { keyPairProblem } from '#client/http/key-pair.ts';
import type { Secret } from '#kinds/generated/types/core_v1.ts';
import type { ResourceHook } from '../registry/registry.ts';

/** A secret for TLS may hold what is no pair, but not without a warning. */
export const tlsSecretHook: ResourceHook = {
  admit(_registry, { warn }, object) {
    const { type, data = {} } = object as Secret;
    const [certificate, key] = [data['tls.crt'], data['tls.key']];
    if (type !== 'kubernetes.io/tls' || certificate === undefined || key === undefined) return;
    const problem = keyPairProblem(textOf(certificate), textOf(key));
    if (problem !== undefined) warn(problem);
  },
};

function textOf(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}
