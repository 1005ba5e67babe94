import type { Scale } from '#kinds/generated/types/autoscaling_v1.ts';
import { schemaNamed } from '#kinds/schemas.ts';
import { cloneJson } from '#machinery/clone.ts';
import { fieldError, invalid, notFound } from '#machinery/errors.ts';
import { conform } from '#machinery/json.ts';
import { formatLabelSelector } from '#machinery/labels.ts';
import type { ApiObject, JsonObject, LabelSelector, Mutable } from '#machinery/meta.ts';
import { checkLocation } from '../registry/location.ts';
import type { Operation, Result } from '../registry/operation.ts';
import { applyPatchDocument } from '../registry/patch.ts';
import { getObject } from '../registry/read.ts';
import type { Registry } from '../registry/registry.ts';
import { type AdmissionView, updateObject } from '../registry/update.ts';
import { inServedVersion } from '../resources/resource.ts';
import { objectKey } from '../resources/storage-keys.ts';
import type { SubresourceHandler } from './handler.ts';

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
    return setReplicas(registry, operation, operation.body as Scale);
  },
  patch(registry, operation) {
    const { resource, name, namespace, options, body } = operation;
    const entry = resource.storage!.cache.get(objectKey({ namespace, name }));
    if (entry === undefined) throw notFound(resource.kind, name);
    const current = scaleOf(inServedVersion(resource, entry.value).object as Scalable) as unknown as JsonObject;
    const schema = schemaNamed('autoscaling.v1.Scale');
    const type = options.patchType === 'apply' ? 'merge' : options.patchType!;
    return setReplicas(
      registry,
      operation,
      conform(applyPatchDocument(type, current, body, schema), schema).value as unknown as Scale,
    );
  },
};

async function setReplicas(registry: Registry, operation: Operation, wanted: Scale): Promise<Result> {
  const { name } = operation;
  checkLocation(operation, { ...wanted, metadata: wanted.metadata ?? {} } as ApiObject);
  const replicas = wanted.spec?.replicas ?? 0;
  if (replicas < 0) {
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
      fieldError.invalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  }
  const transform = (current: ApiObject): Mutable<ApiObject> => {
    const object = cloneJson(current) as unknown as Mutable<Scalable>;
    object.spec.replicas = replicas;
    const { resourceVersion } = wanted.metadata ?? {};
    if (operation.verb === 'update' && resourceVersion !== undefined) object.metadata.resourceVersion = resourceVersion;
    else delete object.metadata.resourceVersion;
    return object as unknown as Mutable<ApiObject>;
  };
  const rules = { prepare: () => {} };
  const result = await updateObject(registry, operation, transform, { rules, admission: asScale });
  return result.type === 'object' ? scaleResult(result.value.object as Scalable) : result;
}

const asScale: AdmissionView = {
  kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
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
