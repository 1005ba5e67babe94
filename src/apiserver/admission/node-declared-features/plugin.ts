import { Node } from '#kinds/generated/handles.ts';
import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { type AdmissionPlugin, lookUp, objectAs, refusal } from '../plugin.ts';

/** What a node must be able to do for a change of a running pod, by the name under which nodes declare it. */
const requirements: readonly (readonly [feature: string, needs: (pod: Pod, old: Pod) => boolean])[] = [
  ['InPlacePodLevelResourcesVerticalScaling', (pod, old) => !equalValues(pod.spec.resources, old.spec.resources)],
  [
    'InPlacePodVerticalScalingInitContainers',
    (pod, old) =>
      (old.spec.initContainers ?? []).some(
        (container, index) =>
          !isSidecar(container) && !equalValues(container.resources, pod.spec.initContainers?.[index]?.resources),
      ),
  ],
];

const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always';

/** A running pod changes only in ways that its node has said it can follow (KEP-5328). */
export const nodeDeclaredFeatureValidator: AdmissionPlugin = {
  name: 'NodeDeclaredFeatureValidator',
  operations: ['UPDATE'],
  resources: ['/pods', '/pods/resize'],
  validate(attributes, registry) {
    const pod = objectAs<Pod>(attributes) as Pod;
    const old = attributes.oldObject as Pod;
    const name = pod.spec.nodeName ?? '';
    if (name === '' || pod.metadata.generation === old.metadata.generation) return;
    const needed = requirements.filter(([, needs]) => needs(pod, old)).map(([feature]) => feature);
    if (needed.length === 0) return;
    const node = lookUp(registry, Node, { name });
    if (node === undefined) throw refusal(attributes, `node ${JSON.stringify(name)} not found`);
    const declared = node.status?.declaredFeatures ?? [];
    const missing = needed.filter((feature) => !declared.includes(feature));
    if (missing.length === 0) return;
    const why = `pod update requires features ${missing.join(', ')} which are not available on node ${JSON.stringify(name)}`;
    throw refusal(attributes, why);
  },
};
