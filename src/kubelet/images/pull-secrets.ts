import type { Pod, Secret } from '#kinds/generated/types/core_v1.ts';
import type { NodeParts } from '../parts.ts';
import type { PodObjects } from '../runtime/environment-variables.ts';

/** The secrets that a pod names for pulling images; of those that are missing the pod's events tell. */
export async function pullSecretsOf(
  pod: Pod,
  { objects, note }: { readonly objects: PodObjects; readonly note: NodeParts['note'] },
): Promise<readonly Secret[]> {
  const secrets: Secret[] = [];
  for (const { name = '' } of pod.spec.imagePullSecrets ?? []) {
    const secret = await objects.secret(pod.metadata.namespace ?? '', name);
    if (secret !== undefined) secrets.push(secret);
    else
      note(pod, {
        type: 'Warning',
        reason: 'FailedToRetrieveImagePullSecret',
        message: `Unable to retrieve some image pull secrets (${name}); attempting to pull the image may not succeed.`,
      });
  }
  return secrets;
}
