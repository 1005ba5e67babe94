import { Namespace } from '#kinds/generated/handles.ts';
import { internalError, notFound } from '#machinery/errors.ts';
import { matchesLabels, type ParsedSelector, selectorOf } from '#machinery/labels.ts';
import type { ApiObject, LabelSelector } from '#machinery/meta.ts';
import type { Registry } from '../../registry/registry.ts';
import type { AdmissionAttributes } from '../plugin.ts';

/** A selector, compiled; undefined when it selects everything. A broken one is told when it is first needed. */
export type CompiledSelector = ParsedSelector | Error | undefined;

export function compileSelector(selector: LabelSelector | undefined): CompiledSelector {
  if (selector === undefined) return undefined;
  try {
    const parsed = selectorOf(selector);
    return parsed.requirements.length === 0 ? undefined : parsed;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The namespace that a request is about: of a namespace itself, its own name. */
export function requestNamespace({ request, object }: AdmissionAttributes): string {
  if (!isNamespace(request)) return request.namespace;
  return request.name !== '' ? request.name : (object?.metadata.name ?? '');
}

function isNamespace({ resource: { kind } }: AdmissionAttributes['request']): boolean {
  return kind.group === '' && kind.resource === 'namespaces';
}

/**
 * Whether the labels of the request's namespace are selected. What has no namespace always is.
 * @throws ApiError 404 when the namespace is absent, 500 when the selector is broken.
 */
export function namespaceSelected(
  selector: CompiledSelector,
  attributes: AdmissionAttributes,
  registry: Registry,
): boolean {
  if (selector === undefined) return true;
  const namespace = requestNamespace(attributes);
  if (namespace === '' && !isNamespace(attributes.request)) return true;
  if (selector instanceof Error) throw internalError(selector.message);
  return matchesLabels(selector, namespaceLabels(namespace, attributes, registry));
}

function namespaceLabels(
  name: string,
  { operation, request, object }: AdmissionAttributes,
  registry: Registry,
): Readonly<Record<string, string>> | undefined {
  const isWritten = operation === 'CREATE' || operation === 'UPDATE';
  if (isNamespace(request) && request.subresource === '' && isWritten) return object?.metadata.labels;
  const found = registry.resources.of(Namespace).storage!.cache.get(name);
  if (found === undefined) throw notFound(Namespace, name);
  return found.value.object.metadata.labels;
}

/** Whether the object is selected as it was or as it will be. @throws ApiError 500 when the selector is broken. */
export function objectSelected(selector: CompiledSelector, { object, oldObject }: AdmissionAttributes): boolean {
  if (selector === undefined) return true;
  if (selector instanceof Error) throw internalError(selector.message);
  const isSelected = (candidate: ApiObject | undefined): boolean =>
    candidate?.metadata !== undefined && matchesLabels(selector, candidate.metadata.labels);
  return isSelected(object) || isSelected(oldObject);
}
