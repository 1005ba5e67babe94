import { Node } from '#kinds/generated/handles.ts';
import type { Binding, Pod } from '#kinds/generated/types/core_v1.ts';
import { type AdmissionPlugin, lookUp, objectAs, type PluginEntry } from '../plugin.ts';

const copied = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

/** Pods learn where they run: the labels of their node's place become theirs when they are bound (KEP-4742). */
export const podTopologyLabels: PluginEntry = {
  name: 'PodTopologyLabels',
  byDefault: true,
  create: ({ features }) =>
    features.enabled('PodTopologyLabelsAdmission') ? plugin : { name: 'PodTopologyLabels', operations: [] },
};

const plugin: AdmissionPlugin = {
  name: 'PodTopologyLabels',
  operations: ['CREATE'],
  resources: ['/pods/binding', '/bindings', '/pods'],
  mutate(attributes, registry) {
    const isPod = attributes.request.subresource === '' && attributes.request.resource.kind.resource === 'pods';
    const name = isPod
      ? (objectAs<Pod>(attributes).spec.nodeName ?? '')
      : (objectAs<Binding>(attributes).target?.name ?? '');
    const labels = name === '' ? undefined : lookUp(registry, Node, { name })?.metadata.labels;
    if (labels === undefined) return;
    const found = copied
      .filter((label) => labels[label] !== undefined)
      .map((label) => [label, labels[label]!] as const);
    if (found.length === 0) return;
    const object = attributes.object!;
    object.metadata = { ...object.metadata, labels: { ...object.metadata?.labels, ...Object.fromEntries(found) } };
  },
};
