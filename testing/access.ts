import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';

/** Where a server is and who to be there, in PEM. */
export interface Access {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> & { readonly server: string } }[];
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
}

/** The first cluster and the first user of a kubeconfig whose user has a certificate. */
export function accessOf(file: string): Access {
  const { clusters, users } = load(readFileSync(file, 'utf8')) as Kubeconfig;
  const { cluster } = clusters[0]!;
  const { user } = users[0]!;
  const pem = (data: string | undefined, path: string | undefined): string =>
    data === undefined ? readFileSync(path!, 'utf8') : Buffer.from(data, 'base64').toString();
  const { hostname, port } = new URL(cluster.server);
  return {
    host: hostname,
    port: Number(port),
    ca: pem(cluster['certificate-authority-data'], cluster['certificate-authority']),
    cert: pem(user['client-certificate-data'], user['client-certificate']),
    key: pem(user['client-key-data'], user['client-key']),
  };
}
