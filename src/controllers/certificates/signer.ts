import { type Controller, defineController, done } from '#client/controller.ts';
import { CertificateSigningRequest } from '#kinds/generated/handles.ts';
import { encodeBase64 } from '#machinery/base64.ts';
import { formatTime } from '#machinery/time.ts';
import type { CertificateAuthority } from './authority.ts';
import { notClient, notNodeClient, notNodeServing, type Recognizable } from './recognize.ts';
import { hasCondition, pemOf } from './state.ts';

/** The built-in signers, and why each would not sign a request. */
const signers: Readonly<Record<string, (request: Recognizable) => string | undefined>> = {
  'kubernetes.io/kube-apiserver-client': notClient,
  'kubernetes.io/kube-apiserver-client-kubelet': notNodeClient,
  'kubernetes.io/kubelet-serving': notNodeServing,
  'kubernetes.io/legacy-unknown': () => undefined,
};

const longestSeconds = 365 * 24 * 3600;
const shortestSeconds = 600;

/** Signs approved requests: https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/ */
export function certificateSigner(authority: CertificateAuthority): Controller {
  return defineController({
    name: 'certificate-controller',
    component: 'csrsigning',
    setup({ watch, environment }) {
      const requests = watch(CertificateSigningRequest, ({ metadata }) => [metadata.name ?? '']);
      return async (name, { client, signal }) => {
        const request = requests.get(undefined, name);
        if (request === undefined || (request.status?.certificate ?? '') !== '') return done;
        const signer = signers[request.spec.signerName];
        if (signer === undefined || !hasCondition(request, 'Approved')) return done;
        if (hasCondition(request, 'Denied') || hasCondition(request, 'Failed')) return done;
        const pem = pemOf(request);
        const usages = request.spec.usages ?? [];
        const problem = await authority.read(pem).then(
          (subject) => signer({ subject, usages }),
          (error: unknown) => `unable to parse csr: ${error instanceof Error ? error.message : String(error)}`,
        );
        if (problem === undefined) {
          const asked = request.spec.expirationSeconds ?? longestSeconds;
          const lifetimeSeconds = Math.max(shortestSeconds, Math.min(asked, longestSeconds));
          const certificate = await authority.sign(pem, { usages, lifetimeSeconds });
          const status = { ...request.status, certificate: encodeBase64(new TextEncoder().encode(certificate)) };
          await client.updateStatus(CertificateSigningRequest, { ...request, status }, { signal });
          return done;
        }
        const now = formatTime(environment.clock.now());
        const failed = {
          type: 'Failed',
          status: 'True',
          reason: 'SignerValidationFailure',
          message: problem,
          lastUpdateTime: now,
          lastTransitionTime: now,
        };
        const status = { ...request.status, conditions: [...(request.status?.conditions ?? []), failed] };
        await client.updateStatus(CertificateSigningRequest, { ...request, status }, { signal });
        return done;
      };
    },
  });
}
