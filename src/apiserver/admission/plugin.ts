import type { Environment } from '#base/environment.ts';
import type { Kind } from '#kinds/kind.ts';
import { type ApiError, forbidden } from '#machinery/errors.ts';
import type { ApiObject, GroupVersionKind, Mutable } from '#machinery/meta.ts';
import type { FeatureGates } from '../feature-gates.ts';
import type { Operation } from '../registry/operation.ts';
import type { Registry } from '../registry/registry.ts';
import { objectKey } from '../resources/storage-keys.ts';
import type { Reinvocation } from './reinvocation.ts';

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** A write on its way in. Mutating plugins may change `object` in place; nobody may change `oldObject`. */
export interface AdmissionAttributes {
  readonly operation: AdmissionOperation;
  readonly request: Operation;
  readonly object: Mutable<ApiObject> | undefined;
  readonly oldObject: ApiObject | undefined;
  /** What the objects are where they are not of the resource's own kind: a Scale, a Binding, PodExecOptions. */
  readonly objectKind?: GroupVersionKind;
  /** Called when a request that was admitted is not stored after all: what a plugin has to take back. */
  onFailure?: (() => void)[];
  /** Made by the first plugin that has to remember something between the two mutating passes. */
  reinvocation?: Reinvocation;
}

/** What a plugin does about a request; a promise only where it has to wait. Refuses by throwing ApiError. */
export type Admit = (attributes: AdmissionAttributes, registry: Registry) => void | Promise<void>;

/** An admission plugin: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/ */
export interface AdmissionPlugin {
  /** Upstream's name, for example `NamespaceLifecycle`. */
  readonly name: string;
  readonly operations: readonly AdmissionOperation[];
  /** `group/resource` or `group/resource/subresource` this is about; absent: all. */
  readonly resources?: readonly string[];
  /** Before the kind's own rules: may change the object. */
  readonly mutate?: Admit;
  /** After them: the object is what will be stored. */
  readonly validate?: Admit;
  /** Called once, before the first request: where indexes over caches are made. */
  readonly start?: (registry: Registry) => void;
}

export interface AdmissionOptions {
  /** Plugins besides those that are on by default (`--enable-admission-plugins`). */
  readonly enable?: readonly string[];
  /** Plugins that are on by default and shall not be (`--disable-admission-plugins`). */
  readonly disable?: readonly string[];
  /** An AdmissionConfiguration (`--admission-control-config-file`). */
  readonly configFile?: string;
  /** The same, read already: what each plugin is told, by its name. */
  readonly configurations?: Readonly<Record<string, unknown>>;
  /** How long pods stay bound to a node that is not ready (`--default-not-ready-toleration-seconds`): 300. */
  readonly notReadyTolerationSeconds?: number;
  /** The same for nodes that are not reachable (`--default-unreachable-toleration-seconds`). */
  readonly unreachableTolerationSeconds?: number;
}

/** What a plugin is made of. */
export interface PluginContext {
  readonly environment: Environment;
  readonly features: FeatureGates;
  /** The plugin's part of the AdmissionConfiguration, parsed; undefined when there is none. */
  readonly configuration: unknown;
  readonly options: AdmissionOptions;
}

/** A plugin that a server may have. */
export interface PluginEntry {
  readonly name: string;
  /** Whether upstream enables it unless told otherwise. */
  readonly byDefault: boolean;
  readonly create: (context: PluginContext) => AdmissionPlugin;
}

/** The part of the object that admission reads with its kind's type; the resource list guarantees the kind. */
export function objectAs<T extends ApiObject>({ object }: AdmissionAttributes): Mutable<T> {
  return object as Mutable<T>;
}

/** The name that a refusal speaks of: a generated one is not known before the object is stored. */
export function subjectName({ request, object, oldObject }: AdmissionAttributes): string {
  const metadata = (object ?? oldObject)?.metadata;
  const own = metadata?.name ?? '';
  if (own !== '') return own;
  return request.name || metadata?.generateName || 'Unknown';
}

/** An object by its name, from the cache. */
export function lookUp<T extends ApiObject>(
  { resources }: Registry,
  kind: Kind<T>,
  ref: { readonly namespace?: string; readonly name: string },
): T | undefined {
  return resources.of(kind).storage!.cache.get(objectKey(ref))?.value.object as T | undefined;
}

/** All objects of a kind. */
export function* lookUpAll<T extends ApiObject>({ resources }: Registry, kind: Kind<T>): Generator<T> {
  for (const { value } of resources.of(kind).storage!.cache.entries()) yield value.object as T;
}

/** The 403 that a plugin refuses a request with. */
export function refusal(attributes: AdmissionAttributes, why: string): ApiError {
  return forbidden(attributes.request.resource.kind, subjectName(attributes), why);
}

/** Tells plugins that what they let through has come to nothing. */
export function takeBack(attributes: AdmissionAttributes): void {
  const { onFailure } = attributes;
  if (onFailure === undefined) return;
  delete attributes.onFailure;
  for (const undo of onFailure) undo();
}
