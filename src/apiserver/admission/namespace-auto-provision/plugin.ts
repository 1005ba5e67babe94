import { Namespace } from '#kinds/generated/handles.ts';
import { isReason } from '#machinery/errors.ts';
import { type AdmissionPlugin, lookUp } from '../plugin.ts';

/** A namespace comes into being with the first object in it. */
export const namespaceAutoProvision: AdmissionPlugin = {
  name: 'NamespaceAutoProvision',
  operations: ['CREATE'],
  mutate({ request }, registry) {
    const { namespace: name, options } = request;
    if (name === '' || options.dryRun === true || lookUp(registry, Namespace, { name }) !== undefined) return undefined;
    return registry
      .loopback()
      .create(Namespace, { metadata: { name }, spec: {} })
      .then(
        () => undefined,
        (error: unknown) => {
          // Somebody else was faster.
          if (!isReason(error, 'AlreadyExists')) throw error;
        },
      );
  },
};
