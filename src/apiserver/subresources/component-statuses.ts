import { notFound } from '#machinery/errors.ts';
import { matchesFields } from '#machinery/fields.ts';
import { matchesLabels } from '#machinery/labels.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { StoredObject } from '../cache/stored-object.ts';
import type { Operation, Result } from '../registry/operation.ts';

const components = ['scheduler', 'controller-manager', 'etcd-0'];

/** Deprecated upstream and still asked for by old scripts: all components live in this process. */
export function componentStatuses({ verb, name, resource, options }: Operation): Result {
  if (verb !== 'list') {
    if (!components.includes(name)) throw notFound({ ...resource.kind, resource: resource.singular }, name);
    return { type: 'object', value: healthy(name), created: false };
  }
  const { labelSelector, fieldSelector = [] } = options;
  const shown = components.filter(
    (component) =>
      (labelSelector === undefined || matchesLabels(labelSelector, undefined)) &&
      matchesFields(fieldSelector, (field) => (field === 'metadata.name' ? component : '')),
  );
  return { type: 'list', items: shown.map(healthy), metadata: {} };
}

function healthy(component: string): StoredObject {
  return StoredObject.ofObject({
    kind: 'ComponentStatus',
    apiVersion: 'v1',
    metadata: { name: component },
    conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }],
  } as ApiObject);
}
