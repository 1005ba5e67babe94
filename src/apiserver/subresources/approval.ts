import { prepareStatus } from '#kinds/certificates/certificate-signing-request/rules.ts';
import { validateCertificateSigningRequestApproval } from '#kinds/certificates/certificate-signing-request/validation.ts';
import type {
  CertificateSigningRequest,
  CertificateSigningRequestStatus,
} from '#kinds/generated/types/certificates_v1.ts';
import type { Mutable } from '#machinery/meta.ts';
import { patchObject } from '../registry/patch.ts';
import { getObject } from '../registry/read.ts';
import { replaceObject, type SubresourceRules } from '../registry/update.ts';
import type { SubresourceHandler } from './handler.ts';

/** Approval changes a request's conditions and nothing else; the certificate comes through `status`. */
const rules: SubresourceRules = {
  prepare(object, old, { environment }) {
    const next = object as unknown as Mutable<CertificateSigningRequest>;
    const before = old as CertificateSigningRequest;
    const conditions = next.status?.conditions;
    next.spec = before.spec as Mutable<CertificateSigningRequest>['spec'];
    const { conditions: _, ...rest } = before.status ?? {};
    next.status = {
      ...rest,
      ...(conditions === undefined ? {} : { conditions }),
    } as Mutable<CertificateSigningRequestStatus>;
    prepareStatus(next, before, environment.clock.now());
  },
  validate: (object, old) =>
    validateCertificateSigningRequestApproval(object as CertificateSigningRequest, old as CertificateSigningRequest),
};

export const approval: SubresourceHandler = {
  get: getObject,
  update: (registry, operation) => replaceObject(registry, operation, { rules }),
  patch: (registry, operation) => patchObject(registry, operation, { rules }),
};
