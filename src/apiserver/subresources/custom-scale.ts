import type { Scale } from '#kinds/generated/types/autoscaling_v1.ts';
import { cloneJson } from '#machinery/clone.ts';
import { type JsonFields, setOwn } from '#machinery/conform.ts';
import { ApiError, notFound } from '#machinery/errors.ts';
import { type ApiObject, apiVersionOf, type Json, type JsonObject, type Mutable } from '#machinery/meta.ts';
import { valueAt } from '../custom-resources/scale.ts';
import { type AppliedThrough, applyObject } from '../registry/apply.ts';
import type { Operation, Result } from '../registry/operation.ts';
import { getObject } from '../registry/read.ts';
import type { Registry } from '../registry/registry.ts';
import { type AdmissionView, type SubresourceRules, updateObject } from '../registry/update.ts';
import type { ScalePaths } from '../resources/custom-form.ts';
import type { SubresourceHandler } from './handler.ts';
import { appliedThroughScale, patchedScale, scaleKind, sentScale } from './patched-scale.ts';

/** The number of replicas of a custom kind, where its definition says that it stands (autoscaling/v1 Scale). */
export const customScale: SubresourceHandler = {
  async get(registry, operation) {
    return scaleResult(operation, await getObject(registry, operation));
  },
  update(registry, operation) {
    const wanted = sentScale(operation);
    return setReplicas(registry, operation, () => wanted);
  },
  async patch(registry, operation) {
    if (operation.options.patchType === 'apply') {
      const body = appliedThroughScale(operation, pathsOf(operation).specReplicas);
      const rules = rulesOf(registry, operation);
      return scaleResult(
        operation,
        await applyObject(registry, { ...operation, body }, { rules, ...viewsOf(operation) }),
      );
    }
    return setReplicas(registry, operation, (current) => patchedScale(registry, operation, current));
  },
};

async function setReplicas(
  registry: Registry,
  operation: Operation,
  wantedOf: (current: Scale) => Scale,
): Promise<Result> {
  const paths = pathsOf(operation);
  const transform = (current: ApiObject): Mutable<ApiObject> => {
    const wanted = wantedOf(scaleOf(current, paths));
    const { metadata, spec } = wanted;
    const replicas = spec?.replicas ?? 0;
    const object = cloneJson(current) as Mutable<ApiObject>;
    setAt(object as unknown as JsonFields, paths.specReplicas, replicas);
    if (metadata?.resourceVersion !== undefined) object.metadata.resourceVersion = metadata.resourceVersion;
    else delete object.metadata.resourceVersion;
    return object;
  };
  const rules = rulesOf(registry, operation);
  const { admission } = viewsOf(operation);
  return scaleResult(operation, await updateObject(registry, operation, transform, { rules, admission }));
}

function rulesOf(registry: Registry, { resource }: Operation): SubresourceRules {
  const validate = (object: ApiObject, old: ApiObject) =>
    resource.rules.validateUpdate?.(object, old, {
      random: registry.environment.random,
      now: registry.environment.clock.now(),
      featureEnabled: (gate) => registry.featureEnabled(gate),
    }) ?? [];
  return { prepare: () => {}, validate };
}

/** How others see a write through a scale: as one of a scale. */
function viewsOf(operation: Operation): { readonly admission: AdmissionView; readonly through: AppliedThrough } {
  const paths = pathsOf(operation);
  const { specReplicas } = paths;
  return {
    admission: {
      kind: scaleKind,
      of: (object) => scaleOf(object, paths) as ApiObject,
      take: (object, view) => setAt(object as unknown as JsonFields, specReplicas, (view as Scale).spec?.replicas ?? 0),
    },
    through: {
      apiVersion: apiVersionOf(scaleKind),
      complete(object) {
        if (valueAt(object as unknown as Json, specReplicas) === undefined)
          setAt(object as unknown as JsonFields, specReplicas, 0);
      },
    },
  };
}

function pathsOf({ resource, name }: Operation): ScalePaths {
  const paths = resource.custom?.scale;
  if (paths === undefined) throw notFound(resource.kind, name);
  return paths;
}

function scaleResult(operation: Operation, result: Result): Result {
  if (result.type !== 'object') return result;
  const object = scaleOf(result.value.object, pathsOf(operation)) as unknown as JsonObject;
  return { type: 'plain', object, created: false };
}

/** @throws ApiError 500 when the object says nothing of replicas. */
function scaleOf(object: ApiObject, paths: ScalePaths): Scale {
  const value = object as unknown as Json;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = valueAt(value, paths.specReplicas);
  if (replicas === undefined)
    throw new ApiError(
      500,
      'InternalError',
      `Internal error occurred: the spec replicas field ${JSON.stringify(`.${paths.specReplicas.join('.')}`)} does not exist`,
      {
        causes: [
          { message: `the spec replicas field ${JSON.stringify(`.${paths.specReplicas.join('.')}`)} does not exist` },
        ],
      },
    );
  const selector = paths.labelSelector === undefined ? undefined : valueAt(value, paths.labelSelector);
  const current = valueAt(value, paths.statusReplicas);
  return {
    kind: 'Scale',
    apiVersion: apiVersionOf(scaleKind),
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as Scale['metadata'],
    spec: replicas === 0 ? {} : { replicas: Number(replicas) },
    status: {
      replicas: current === undefined ? 0 : Number(current),
      ...(typeof selector === 'string' && selector !== '' ? { selector } : {}),
    },
  };
}

/** Sets what stands at a path of names, whatever the names are. */
function setAt(object: JsonFields, path: readonly string[], value: Json): void {
  let at = object;
  for (const name of path.slice(0, -1)) {
    const next = Object.hasOwn(at, name) ? at[name] : undefined;
    const inner: JsonFields =
      typeof next === 'object' && next !== null && !Array.isArray(next) ? (next as JsonFields) : {};
    setOwn(at, name, inner as JsonObject);
    at = inner;
  }
  setOwn(at, path.at(-1)!, value);
}
