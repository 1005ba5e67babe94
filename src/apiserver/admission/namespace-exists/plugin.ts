import { Namespace } from '#kinds/generated/handles.ts';
import { notFound } from '#machinery/errors.ts';
import { type AdmissionPlugin, lookUp } from '../plugin.ts';

/** Nothing happens in a namespace that there is not. */
export const namespaceExists: AdmissionPlugin = {
  name: 'NamespaceExists',
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  validate({ request: { namespace: name } }, registry) {
    if (name !== '' && lookUp(registry, Namespace, { name }) === undefined) throw notFound(Namespace, name);
  },
};
