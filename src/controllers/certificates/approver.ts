import { type Controller, defineController, done } from '#client/controller.ts';
import { CertificateSigningRequest, SubjectAccessReview } from '#kinds/generated/handles.ts';
import type { SubjectAccessReview as Review } from '#kinds/generated/types/authorization_v1.ts';
import type { CertificateSigningRequest as Request } from '#kinds/generated/types/certificates_v1.ts';
import { formatTime } from '#machinery/time.ts';
import type { CertificateAuthority } from './authority.ts';
import { notNodeClient } from './recognize.ts';
import { hasCondition, pemOf } from './state.ts';

/** Approves client certificates of nodes that may have them: a new node's first, and a node's own next one. */
export function certificateApprover(authority: CertificateAuthority): Controller {
  return defineController({
    name: 'certificate-controller',
    component: 'csrapproving',
    setup({ watch, environment }) {
      const requests = watch(CertificateSigningRequest, ({ metadata }) => [metadata.name ?? '']);
      return async (name, { client, signal }) => {
        const request = requests.get(undefined, name);
        if (request === undefined || (request.status?.certificate ?? '') !== '') return done;
        if (request.spec.signerName !== 'kubernetes.io/kube-apiserver-client-kubelet') return done;
        if (hasCondition(request, 'Approved') || hasCondition(request, 'Denied')) return done;
        const subject = await authority.read(pemOf(request)).catch(() => undefined);
        if (subject === undefined || notNodeClient({ subject, usages: request.spec.usages ?? [] }) !== undefined)
          return done;
        const isOwn = request.spec.username === subject.commonName;
        const ways = [
          ...(isOwn
            ? [['selfnodeclient', 'Auto approving self kubelet client certificate after SubjectAccessReview.']]
            : []),
          ['nodeclient', 'Auto approving kubelet client certificate after SubjectAccessReview.'],
        ] as const;
        for (const [subresource = '', message = ''] of ways) {
          const review = await client.create(SubjectAccessReview, reviewOf(request, subresource), { signal });
          if (review.status?.allowed !== true) continue;
          const now = formatTime(environment.clock.now());
          const approved = {
            type: 'Approved',
            status: 'True',
            reason: 'AutoApproved',
            message,
            lastUpdateTime: now,
            lastTransitionTime: now,
          };
          const status = { ...request.status, conditions: [...(request.status?.conditions ?? []), approved] };
          await client.updateSubresource(
            CertificateSigningRequest,
            { name },
            'approval',
            { ...request, status },
            { signal },
          );
          return done;
        }
        return done;
      };
    },
  });
}

function reviewOf({ spec }: Request, subresource: string): Review {
  const { username = '', uid, groups, extra } = spec;
  return {
    metadata: {},
    spec: {
      user: username,
      ...(uid === undefined ? {} : { uid }),
      ...(groups === undefined ? {} : { groups }),
      ...(extra === undefined ? {} : { extra }),
      resourceAttributes: {
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        verb: 'create',
        subresource,
        version: '*',
      },
    },
  };
}
