import { defineController, done } from '#client/controller.ts';
import { isNamespaceTerminating } from '#client/failures.ts';
import { Namespace, ServiceAccount } from '#kinds/generated/handles.ts';
import { isReason } from '#machinery/errors.ts';

/** Pods that name no service account run as this one. */
const defaultAccount = 'default';

/** Gives every namespace its default service account, and gives it back when it is deleted. */
export const serviceAccount = defineController({
  name: 'service-account-controller',
  queue: 'serviceaccount',
  setup(context) {
    const namespaces = context.watch(Namespace, (namespace) => [namespace.metadata.name ?? '']);
    const accounts = context.watch(ServiceAccount, ({ metadata }, { type }) =>
      type === 'deleted' && metadata.name === defaultAccount ? [metadata.namespace ?? ''] : [],
    );
    return async (name, { client, signal }) => {
      const namespace = namespaces.get(undefined, name);
      if (namespace === undefined || namespace.status?.phase === 'Terminating') return done;
      if (accounts.get(name, defaultAccount) !== undefined) return done;
      try {
        await client.create(ServiceAccount, { metadata: { name: defaultAccount, namespace: name } }, { signal });
      } catch (error) {
        if (!isReason(error, 'AlreadyExists') && !isNamespaceTerminating(error)) throw error;
      }
      return done;
    };
  },
});
