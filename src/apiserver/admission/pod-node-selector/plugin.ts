import { Namespace } from '#kinds/generated/handles.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { ApiError, notFound } from '#machinery/errors.ts';
import type { Registry } from '../../registry/registry.ts';
import { type AdmissionAttributes, lookUp, objectAs, type PluginEntry, refusal } from '../plugin.ts';

const annotation = 'scheduler.alpha.kubernetes.io/node-selector';
const clusterDefault = 'clusterDefaultNodeSelector';

type LabelMap = Readonly<Record<string, string>>;

interface Written {
  readonly podNodeSelectorPluginConfig?: LabelMap;
}

/** Pods of a namespace run on the nodes that its annotation names. */
export const podNodeSelector: PluginEntry = {
  name: 'PodNodeSelector',
  byDefault: false,
  create({ configuration }) {
    const selectors = (configuration as Written | undefined)?.podNodeSelectorPluginConfig ?? {};
    return {
      name: 'PodNodeSelector',
      operations: ['CREATE'],
      resources: ['/pods'],
      mutate(attributes, registry) {
        const wanted = namespaceSelector(attributes, registry, selectors);
        const pod = objectAs<Pod>(attributes);
        checkConflict(attributes, wanted, pod.spec.nodeSelector);
        const merged = { ...wanted, ...pod.spec.nodeSelector };
        if (Object.keys(merged).length > 0) pod.spec.nodeSelector = merged;
      },
      validate(attributes, registry) {
        const own = objectAs<Pod>(attributes).spec.nodeSelector ?? {};
        checkConflict(attributes, namespaceSelector(attributes, registry, selectors), own);
        const allowed = parseLabels(selectors[attributes.request.namespace] ?? '');
        const isOutside = Object.entries(own).some(([key, value]) => allowed[key] !== value);
        if (Object.keys(allowed).length > 0 && isOutside)
          throw refusal(attributes, 'pod node label selector labels conflict with its namespace whitelist');
      },
    };
  },
};

function namespaceSelector({ request }: AdmissionAttributes, registry: Registry, selectors: LabelMap): LabelMap {
  const namespace = lookUp(registry, Namespace, { name: request.namespace });
  if (namespace === undefined) throw notFound(Namespace, request.namespace);
  return parseLabels(namespace.metadata.annotations?.[annotation] ?? selectors[clusterDefault] ?? '');
}

function checkConflict(attributes: AdmissionAttributes, wanted: LabelMap, own: LabelMap = {}): void {
  const conflicts = Object.entries(wanted).some(([key, value]) => own[key] !== undefined && own[key] !== value);
  if (conflicts) throw refusal(attributes, 'pod node label selector conflicts with its namespace node label selector');
}

/** `a=1,b=2` @throws ApiError 500 when it is nothing of the kind. */
function parseLabels(text: string): LabelMap {
  const labels: Record<string, string> = {};
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const [key = '', value, ...rest] = part.split('=').map((piece) => piece.trim());
    if (value === undefined || rest.length > 0) throw new ApiError(500, '', `invalid selector: [${text}]`);
    labels[key] = value;
  }
  return labels;
}
