/**
 * What Proa says of its version, as a server and as kubectl: the Kubernetes version whose interface it keeps.
 * `platform` and `architecture` are Node's words (`linux`, `x64`).
 */
export function releaseInfo(platform: string, architecture: string) {
  return {
    major: '1',
    minor: '36',
    gitVersion: 'v1.36.1+proa',
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '2026-01-01T00:00:00Z',
    goVersion: 'none',
    compiler: 'node',
    platform: `${platform}/${architecture === 'x64' ? 'amd64' : architecture}`,
  } as const;
}
