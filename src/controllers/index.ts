import type { Environment } from '#base/environment.ts';
import type { Client, Identity } from '#client/client.ts';
import { type Controller, runController } from '#client/controller.ts';
import { createInformers } from '#client/informers.ts';
import type { Kind } from '#kinds/kind.ts';
import { deployment } from './deployment/controller.ts';
import { replicaSet, replicationController } from './replicaset/controller.ts';

export interface ControllersOptions {
  /** Acts as others: each controller works as its own service account, as in a cluster of official components. */
  readonly client: Client;
  readonly environment: Environment;
  /** Every kind that can be stored: what namespaces may hold and owners may own. */
  readonly kinds: readonly Kind[];
  /** PEM of the authority that signs the API server's certificate; published in every namespace. */
  readonly rootCa: string;
}

/** Runs all controllers until the signal aborts; resolves when the last of their workers has ended. */
export async function startControllers(options: ControllersOptions, signal: AbortSignal): Promise<void> {
  const { client, environment } = options;
  const informers = createInformers({
    client: client.as({ user: 'system:kube-controller-manager', groups: ['system:authenticated'] }),
    environment,
  });
  const running = controllersOf(options).map((controller) =>
    runController(controller, { client: client.as(serviceAccount(controller.name)), informers, environment }, signal),
  );
  await Promise.all([informers.run(signal), ...running]);
}

/** Order does not matter: they meet only through the API. */
function controllersOf(_options: ControllersOptions): readonly Controller[] {
  return [deployment, replicaSet, replicationController];
}

function serviceAccount(name: string): Identity {
  return {
    user: `system:serviceaccount:kube-system:${name}`,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
  };
}
