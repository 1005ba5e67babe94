import type { Container, EphemeralContainer, Pod } from '#kinds/generated/types/core_v1.ts';
import { aggregated, fieldError } from '#machinery/errors.ts';
import type { Mutable } from '#machinery/meta.ts';
import { type AdmissionAttributes, type AdmissionPlugin, objectAs, refusal } from '../plugin.ts';

const always = 'Always';

/** Nobody runs an image that is on the node because somebody else was allowed to pull it. */
export const alwaysPullImages: AdmissionPlugin = {
  name: 'AlwaysPullImages',
  operations: ['CREATE', 'UPDATE'],
  resources: ['/pods'],
  mutate(attributes) {
    if (hasNoNewImage(attributes)) return;
    for (const [, container] of containersOf(objectAs<Pod>(attributes))) container.imagePullPolicy = always;
    for (const { image } of objectAs<Pod>(attributes).spec.volumes ?? [])
      if (image !== undefined) image.pullPolicy = always;
  },
  validate(attributes) {
    if (hasNoNewImage(attributes)) return;
    const pod = objectAs<Pod>(attributes);
    const policies = [
      ...containersOf(pod).map(([path, { imagePullPolicy }]) => [`${path}.imagePullPolicy`, imagePullPolicy] as const),
      ...(pod.spec.volumes ?? []).flatMap(({ image }, index) =>
        image === undefined ? [] : [[`spec.volumes[${index}].image.pullPolicy`, image.pullPolicy] as const],
      ),
    ];
    const problems = policies
      .filter(([, policy]) => policy !== always)
      .map(([path, policy]) => `${path}: ${fieldError.notSupported(path, policy ?? '', [always]).message}`);
    if (problems.length > 0) throw refusal(attributes, aggregated(problems));
  },
};

type AnyContainer = Mutable<Container> | Mutable<EphemeralContainer>;

function containersOf({ spec }: Mutable<Pod>): (readonly [string, AnyContainer])[] {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((field) =>
    (spec[field] ?? []).map((container, index) => [`spec.${field}[${index}]`, container as AnyContainer] as const),
  );
}

/** Pods that ran before the plugin was enabled can still be updated. */
function hasNoNewImage({ operation, object, oldObject }: AdmissionAttributes): boolean {
  if (operation !== 'UPDATE') return false;
  const images = (pod: unknown): string[] => containersOf(pod as Mutable<Pod>).map(([, { image = '' }]) => image);
  const old = new Set(images(oldObject));
  return images(object).every((image) => old.has(image));
}
