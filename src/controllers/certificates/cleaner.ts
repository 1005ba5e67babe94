import { type Controller, defineController, done, retryAfter } from '#client/controller.ts';
import { CertificateSigningRequest } from '#kinds/generated/handles.ts';
import type { CertificateSigningRequest as Request } from '#kinds/generated/types/certificates_v1.ts';
import { decodeBase64 } from '#machinery/base64.ts';
import { isReason } from '#machinery/errors.ts';
import type { CertificateAuthority } from './authority.ts';
import { hasCondition } from './state.ts';

const hourMs = 3600_000;
/** How long requests are kept: those that have their answer, and those that nobody answered. */
const answeredMs = hourMs;
const pendingMs = 24 * hourMs;

/** Deletes requests that are of no more use, so that they do not pile up. */
export function certificateCleaner(authority: CertificateAuthority): Controller {
  return defineController({
    name: 'certificate-controller',
    component: 'csrcleaner',
    setup({ watch, environment }) {
      const requests = watch(CertificateSigningRequest, ({ metadata }) => [metadata.name ?? '']);
      return async (name, { client, signal }) => {
        const request = requests.get(undefined, name);
        if (request === undefined) return done;
        const leftMs = endOf(request, authority) - environment.clock.now();
        if (leftMs > 0) return retryAfter(leftMs);
        const { uid } = request.metadata;
        const options = uid === undefined ? { signal } : { signal, preconditions: { uid } };
        await client.delete(CertificateSigningRequest, { name }, options).catch((error: unknown) => {
          if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
        });
        return done;
      };
    },
  });
}

/** When a request may go, in wall-clock milliseconds. */
function endOf(request: Request, authority: CertificateAuthority): number {
  const created = Date.parse(request.metadata.creationTimestamp ?? '');
  const certificate = request.status?.certificate ?? '';
  const answered = certificate !== '' || hasCondition(request, 'Denied') || hasCondition(request, 'Failed');
  const kept = (lastChange(request) ?? created) + answeredMs;
  if (!answered) return created + pendingMs;
  if (certificate === '') return kept;
  const expires = authority.endOf(new TextDecoder().decode(decodeBase64(certificate)));
  return expires === undefined ? kept : Math.min(kept, expires);
}

function lastChange({ status }: Request): number | undefined {
  const times = (status?.conditions ?? []).map(({ lastUpdateTime }) => Date.parse(lastUpdateTime ?? ''));
  const known = times.filter((time) => !Number.isNaN(time));
  return known.length === 0 ? undefined : Math.max(...known);
}
