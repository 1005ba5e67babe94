import { apiVersionOf } from '#machinery/meta.ts';
import type { ServedResource } from '../resources/resource.ts';

type Paths = readonly (readonly string[])[];

/** Parts that a write through the object itself, or through its status, never owns. */
const resetByObject: Paths = [['status']];
const resetByStatus: Paths = [['spec']];
const resetByEither: Paths = [...resetByObject, ...resetByStatus];

export function resetFieldsOf({ kind, custom, subresources }: ServedResource, subresource: string): Paths {
  // Upstream notes no owners of a signing request's parts, whichever door they come through.
  if (kind.kind === 'CertificateSigningRequest') return resetByEither;
  if (subresource === 'status') return custom?.version(apiVersionOf(kind))?.statusResets ?? resetByStatus;
  return subresources.has('status') ? resetByObject : [];
}
