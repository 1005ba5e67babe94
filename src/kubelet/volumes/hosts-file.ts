import { readFile } from 'node:fs/promises';
import type { Pod } from '#kinds/generated/types/core_v1.ts';

const header = '# Kubernetes-managed hosts file';
/** What every hosts file of a pod begins with. */
const local = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
];

/** The contents of a pod's /etc/hosts. */
export async function hostsFile(
  pod: Pod,
  options: { readonly podIps: readonly string[]; readonly hostname: string; readonly domain: string | undefined },
): Promise<string> {
  const { podIps, hostname, domain } = options;
  const lines: string[] = [];
  if (pod.spec.hostNetwork) {
    const host = await readFile('/etc/hosts', 'utf8').catch(() => '');
    lines.push(`${header} (host network).`, host.replace(/\n$/, ''));
  } else {
    lines.push(`${header}.`, ...local);
    const name = hostname.split('.')[0]!;
    const names = domain === undefined ? hostname : `${name}.${domain}\t${name}`;
    for (const ip of podIps) lines.push(`${ip}\t${names}`);
  }
  const aliases = pod.spec.hostAliases ?? [];
  if (aliases.length > 0) lines.push('', '# Entries added by HostAliases.');
  for (const { ip, hostnames = [] } of aliases) lines.push(`${ip}\t${hostnames.join('\t')}`);
  return `${lines.join('\n')}\n`;
}
