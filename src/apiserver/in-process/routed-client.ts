import type { Client } from '#client/client.ts';
import { createClient } from '#client/request.ts';
import type { Kind } from '#kinds/kind.ts';
import type { UserInfo } from '../registry/operation.ts';
import type { ApiServer } from '../server.ts';
import { InProcessClient } from './client.ts';
import { RemoteTransport } from './remote-transport.ts';

/** A Client in this process: straight into the pipeline for what this server stores, over HTTPS for what others do. */
export function routedClient(server: ApiServer, user: UserInfo): Client {
  const local = new InProcessClient(server, user);
  const of = (kind: Kind): Omit<Client, 'as'> => {
    const remote = server.aggregator?.remoteFor(kind.group, kind.version);
    return remote === undefined ? local : createClient(new RemoteTransport(server, remote, user));
  };
  return {
    get: (kind, ...rest) => of(kind).get(kind, ...rest),
    list: (kind, ...rest) => of(kind).list(kind, ...rest),
    watch: (kind, ...rest) => of(kind).watch(kind, ...rest),
    create: (kind, ...rest) => of(kind).create(kind, ...rest),
    update: (kind, ...rest) => of(kind).update(kind, ...rest),
    updateStatus: (kind, ...rest) => of(kind).updateStatus(kind, ...rest),
    patch: (kind, ...rest) => of(kind).patch(kind, ...rest),
    delete: (kind, ...rest) => of(kind).delete(kind, ...rest),
    deleteCollection: (kind, ...rest) => of(kind).deleteCollection(kind, ...rest),
    getSubresource: (kind, ...rest) => of(kind).getSubresource(kind, ...rest),
    createSubresource: (kind, ...rest) => of(kind).createSubresource(kind, ...rest),
    updateSubresource: (kind, ...rest) => of(kind).updateSubresource(kind, ...rest),
    as: ({ user: name, groups = ['system:authenticated'] }) => routedClient(server, { name, groups }),
  };
}
