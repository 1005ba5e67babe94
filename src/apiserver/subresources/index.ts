import { approval } from './approval.ts';
import { binding } from './binding.ts';
import { ephemeralContainers } from './ephemeral-containers.ts';
import { eviction } from './eviction.ts';
import { finalize } from './finalize.ts';
import type { SubresourceHandler } from './handler.ts';
import { resize } from './resize.ts';
import { scale } from './scale.ts';
import { token } from './token.ts';

/** By `group/resource/subresource`. `status` is part of every update; streams are in `../connect`. */
export const subresourceHandlers: Readonly<Record<string, SubresourceHandler>> = {
  'apps/deployments/scale': scale,
  'apps/replicasets/scale': scale,
  'apps/statefulsets/scale': scale,
  '/replicationcontrollers/scale': scale,
  '/pods/binding': binding,
  '/pods/ephemeralcontainers': ephemeralContainers,
  '/pods/eviction': eviction,
  '/pods/resize': resize,
  '/namespaces/finalize': finalize,
  '/serviceaccounts/token': token,
  'certificates.k8s.io/certificatesigningrequests/approval': approval,
};
