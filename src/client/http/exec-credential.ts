import type { KubeconfigCluster } from './kubeconfig.ts';
import type { HttpClientOptions } from './options.ts';

/** A program that hands out credentials (client-go credential plugins, client.authentication.k8s.io). */
export interface ExecPlugin {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
  readonly interactiveMode?: string;
}

interface Credential {
  readonly token?: string;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
}

/**
 * The options that a plugin's credential comes to. A token is asked for again after a 401; a certificate is kept for
 * the life of the client.
 */
export function execCredential(plugin: ExecPlugin, cluster: KubeconfigCluster): Partial<HttpClientOptions> {
  let credential = run(plugin, cluster);
  if (credential.clientCertificateData !== undefined) {
    return { certificate: credential.clientCertificateData, key: credential.clientKeyData };
  }
  return {
    async token({ renew }) {
      if (renew) credential = run(plugin, cluster);
      return credential.token;
    },
  };
}

/** Runs before the first request, so waiting for it in place holds nothing up. */
function run(plugin: ExecPlugin, cluster: KubeconfigCluster): Credential {
  const apiVersion = plugin.apiVersion ?? 'client.authentication.k8s.io/v1';
  const spec = {
    interactive: plugin.interactiveMode !== 'Never' && process.stdin.isTTY === true,
    ...(plugin.provideClusterInfo === true ? { cluster } : {}),
  };
  const info = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec });
  const added = Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value]));
  const environment = { ...process.env, ...added, KUBERNETES_EXEC_INFO: info };
  let output: string;
  try {
    // Servers read kubeconfigs too, and seldom ones that name a program.
    const { execFileSync } = process.getBuiltinModule('node:child_process');
    const stdio: ('inherit' | 'pipe')[] = ['inherit', 'pipe', 'inherit'];
    output = execFileSync(plugin.command, plugin.args ?? [], { env: environment, stdio, encoding: 'utf8' });
  } catch (error) {
    const hint = plugin.installHint === undefined ? '' : `\n${plugin.installHint}`;
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`getting credentials: ${why}${hint}`, { cause: error });
  }
  const answer: unknown = JSON.parse(output);
  if (typeof answer !== 'object' || answer === null || !('status' in answer) || typeof answer.status !== 'object') {
    throw new Error(`getting credentials: ${plugin.command} gave no status`);
  }
  return answer.status as Credential;
}
