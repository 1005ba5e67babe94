import { type Controller, defineController, done, retryAfter } from '#client/controller.ts';
import { PodCertificateRequest } from '#kinds/generated/handles.ts';
import { isReason } from '#machinery/errors.ts';

/** Whatever became of a request, it has become of it by then. */
const keptMs = 15 * 60_000;

/** Deletes requests for pods' certificates that are of no more use (KEP-4317). Behind `PodCertificateRequest`. */
export const podRequestCleaner: Controller = defineController({
  name: 'podcertificaterequestcleaner',
  setup({ watch, environment }) {
    const requests = watch(PodCertificateRequest, ({ metadata }) => [`${metadata.namespace}/${metadata.name}`]);
    return async (key, { client, signal }) => {
      const [namespace = '', name = ''] = key.split('/');
      const request = requests.get(namespace, name);
      if (request === undefined) return done;
      const { creationTimestamp = '', uid = '' } = request.metadata;
      const leftMs = Date.parse(creationTimestamp) + keptMs - environment.clock.now();
      if (leftMs > 0) return retryAfter(leftMs);
      const options = { signal, preconditions: { uid } };
      await client.delete(PodCertificateRequest, { namespace, name }, options).catch((error: unknown) => {
        if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
      });
      return done;
    };
  },
});
