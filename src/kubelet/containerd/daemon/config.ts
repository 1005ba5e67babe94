import { join } from 'node:path';

export interface DaemonConfig {
  /** Images and snapshots; outlives a reboot. */
  readonly root: string;
  /** Running containers; best on a file system that a reboot empties. */
  readonly state: string;
  readonly socketPath: string;
  readonly sandboxImage: string;
  readonly cniBinDir: string;
  readonly cniConfigDir: string;
  /** A folder per registry with a hosts.toml (containerd's hosts documentation). */
  readonly registryConfigDir: string;
  /** `overlayfs`, or `native` where the disk itself is an overlay. */
  readonly snapshotter: 'overlayfs' | 'native';
  /**
   * Set when this process lacks CAP_SYS_RESOURCE: runc may then not lower an OOM score, and fails with "can't get final
   * child's PID from pipe".
   */
  readonly restrictOomScore: boolean;
}

/** Plugins that only take time to find out that they are of no use here. */
const disabledPlugins = [
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.internal.v1.tracing',
  'io.containerd.tracing.processor.v1.otlp',
];

/** The configuration file of a private containerd (format version 2, which 1.x and 2.x read). */
export function renderConfig(config: DaemonConfig): string {
  const cri = '[plugins."io.containerd.grpc.v1.cri"';
  // JSON strings are TOML strings.
  const text = JSON.stringify;
  return `version = 2
root = ${text(config.root)}
state = ${text(config.state)}
disabled_plugins = ${text(disabledPlugins)}

[grpc]
  address = ${text(config.socketPath)}

[plugins."io.containerd.internal.v1.opt"]
  path = ${text(join(config.root, 'opt'))}

${cri}]
  sandbox_image = ${text(config.sandboxImage)}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  restrict_oom_score_adj = ${config.restrictOomScore}
  tolerate_missing_hugetlb_controller = true

${cri}.cni]
  bin_dir = ${text(config.cniBinDir)}
  conf_dir = ${text(config.cniConfigDir)}

${cri}.containerd]
  snapshotter = ${text(config.snapshotter)}
  default_runtime_name = "runc"

${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false

${cri}.registry]
  config_path = ${text(config.registryConfigDir)}
`;
}
