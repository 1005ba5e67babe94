import type { Operation } from '../registry/operation.ts';
import type { AuditedRequest } from './auditor.ts';

/** A component of this process asks as if over HTTP. */
export function auditedOperation(operation: Operation): AuditedRequest {
  const { resource, verb, subresource, namespace, name, user } = operation;
  const { group, version, resource: plural } = resource.kind;
  const parts = [
    group === '' ? `/api/${version}` : `/apis/${group}/${version}`,
    ...(namespace === '' ? [] : ['namespaces', namespace]),
    plural,
    ...(name === '' || (verb === 'create' && subresource === '') ? [] : [name]),
    ...(subresource === '' ? [] : [subresource]),
  ];
  const info = {
    type: 'resource',
    verb,
    group,
    version,
    resource: plural,
    subresource,
    namespace,
    name,
    rest: '',
  } as const;
  return { info, user, uri: parts.join('/'), sourceIps: ['127.0.0.1'], userAgent: 'proa', id: undefined };
}
