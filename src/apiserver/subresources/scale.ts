import type { Scale } from '#kinds/generated/types/autoscaling_v1.ts';
import { cloneJson } from '#machinery/clone.ts';
import { formatLabelSelector } from '#machinery/labels.ts';
import { type ApiObject, apiVersionOf, type JsonObject, type LabelSelector, type Mutable } from '#machinery/meta.ts';
import { type AppliedThrough, applyObject } from '../registry/apply.ts';
import type { Operation, Result } from '../registry/operation.ts';
import { getObject } from '../registry/read.ts';
import type { Registry } from '../registry/registry.ts';
import { type AdmissionView, updateObject } from '../registry/update.ts';
import type { SubresourceHandler } from './handler.ts';
import { appliedThroughScale, checkScale, patchedScale, scaleKind, sentScale } from './patched-scale.ts';

/** What every scalable kind has. A replication controller's selector is a plain map. */
interface Scalable extends ApiObject {
  readonly spec: { readonly replicas?: number; readonly selector?: LabelSelector | Readonly<Record<string, string>> };
  readonly status?: { readonly replicas?: number };
}

/** The number of replicas in one form for all kinds that have one (autoscaling/v1 Scale). */
export const scale: SubresourceHandler = {
  async get(registry, operation) {
    const result = await getObject(registry, operation);
    if (result.type !== 'object') return result;
    return scaleResult(result.value.object as Scalable);
  },
  update(registry, operation) {
    const wanted = sentScale(operation);
    return setReplicas(registry, operation, () => wanted);
  },
  async patch(registry, operation) {
    if (operation.options.patchType === 'apply') {
      const body = appliedThroughScale(operation, ['spec', 'replicas']);
      return shown(await applyObject(registry, { ...operation, body }, { rules, admission: asScale, through }));
    }
    return setReplicas(registry, operation, (current) => patchedScale(registry, operation, current));
  },
};

async function setReplicas(
  registry: Registry,
  operation: Operation,
  wantedOf: (current: Scale) => Scale,
): Promise<Result> {
  const transform = (current: ApiObject): Mutable<ApiObject> => {
    const wanted = wantedOf(scaleOf(current as Scalable));
    checkScale(operation, wanted, current);
    const object = cloneJson(current) as unknown as Mutable<Scalable>;
    object.spec.replicas = wanted.spec?.replicas ?? 0;
    const { uid, resourceVersion } = wanted.metadata ?? {};
    if (uid !== undefined) object.metadata.uid = uid;
    if (resourceVersion === undefined) delete object.metadata.resourceVersion;
    else object.metadata.resourceVersion = resourceVersion;
    return object as unknown as Mutable<ApiObject>;
  };
  return shown(await updateObject(registry, operation, transform, { rules, admission: asScale }));
}

const rules = { prepare: () => {} };

/** A scale that says nothing of replicas wants none. */
const through: AppliedThrough = {
  apiVersion: apiVersionOf(scaleKind),
  complete: (object) => {
    (object as Mutable<Scalable>).spec.replicas ??= 0;
  },
};

function shown(result: Result): Result {
  return result.type === 'object' ? scaleResult(result.value.object as Scalable) : result;
}

const asScale: AdmissionView = {
  kind: scaleKind,
  of: (object) => scaleOf(object as Scalable) as ApiObject,
  take(object, view) {
    (object as Mutable<Scalable>).spec.replicas = (view as Scale).spec?.replicas ?? 0;
  },
};

function scaleResult(object: Scalable): Result {
  return { type: 'plain', object: scaleOf(object) as unknown as JsonObject, created: false };
}

function scaleOf({ metadata, spec, status }: Scalable): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const selector = spec.selector === undefined ? '' : formatLabelSelector(asLabelSelector(spec.selector));
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as Scale['metadata'],
    spec: spec.replicas === undefined || spec.replicas === 0 ? {} : { replicas: spec.replicas },
    status: { replicas: status?.replicas ?? 0, ...(selector === '' ? {} : { selector }) },
  };
}

function asLabelSelector(selector: LabelSelector | Readonly<Record<string, string>>): LabelSelector {
  const { matchLabels, matchExpressions } = selector as LabelSelector;
  const isSelector = typeof matchLabels === 'object' || Array.isArray(matchExpressions);
  return isSelector ? (selector as LabelSelector) : { matchLabels: selector as Readonly<Record<string, string>> };
}
