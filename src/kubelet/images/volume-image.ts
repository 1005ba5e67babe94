import type { Pod, Volume } from '#kinds/generated/types/core_v1.ts';
import type { NodeParts } from '../parts.ts';
import type { PodObjects } from '../runtime/environment-variables.ts';
import type { ImagePuller } from './image-puller.ts';
import { pullSecretsOf } from './pull-secrets.ts';
import { formatImageReference, parseImageReference } from './reference.ts';

/** Pulls the image of a volume as a container's would be, and names it as the runtime does. Throws StartError. */
export async function pullVolumeImage(
  parts: { readonly images: ImagePuller; readonly objects: PodObjects; readonly note: NodeParts['note'] },
  pod: Pod,
  { name, image }: Volume,
  signal: AbortSignal,
): Promise<string> {
  const { reference = '', pullPolicy } = image ?? {};
  const container = { name, image: reference, ...(pullPolicy === undefined ? {} : { imagePullPolicy: pullPolicy }) };
  await parts.images.ensure(
    {
      pod,
      container,
      secrets: () => pullSecretsOf(pod, parts),
      note: (type, reason, message) => parts.note(pod, { type, reason, message }),
    },
    signal,
  );
  const parsed = parseImageReference(reference);
  return parsed === undefined ? reference : formatImageReference(parsed);
}
