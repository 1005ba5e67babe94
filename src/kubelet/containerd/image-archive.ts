import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';

/** A file, directory or symbolic link of an image's file system. */
export type ImageEntry =
  | { readonly type: 'file'; readonly path: string; readonly mode: number; readonly content: Uint8Array }
  | { readonly type: 'directory'; readonly path: string; readonly mode: number }
  | { readonly type: 'link'; readonly path: string; readonly target: string };

export interface ImageDescription {
  /** A full reference, for example `proa.local/pause:1`. */
  readonly reference: string;
  /** As Go and OCI name it. */
  readonly architecture: 'amd64' | 'arm64';
  readonly entries: readonly ImageEntry[];
  /** The runtime part of an OCI image configuration: Entrypoint, Cmd, Env, User, ExposedPorts, … */
  readonly config: Readonly<Record<string, unknown>>;
}

/** An OCI image layout with one image of one layer, as a tar. The same description gives the same bytes. */
export async function buildImageArchive(image: ImageDescription): Promise<Buffer> {
  const layer = await tar(image.entries);
  const config = json({
    architecture: image.architecture,
    os: 'linux',
    config: image.config,
    rootfs: { type: 'layers', diff_ids: [digest(layer)] },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar', layer)],
  });
  const index = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        ...descriptor('application/vnd.oci.image.manifest.v1+json', manifest),
        platform: { architecture: image.architecture, os: 'linux' },
        // What containerd calls the image.
        annotations: { 'io.containerd.image.name': image.reference },
      },
    ],
  });
  const blob = (content: Uint8Array): ImageEntry => ({
    type: 'file',
    path: `blobs/sha256/${digest(content).slice('sha256:'.length)}`,
    mode: 0o644,
    content,
  });
  return tar([
    { type: 'file', path: 'oci-layout', mode: 0o644, content: json({ imageLayoutVersion: '1.0.0' }) },
    { type: 'file', path: 'index.json', mode: 0o644, content: index },
    blob(manifest),
    blob(config),
    blob(layer),
  ]);
}

async function tar(entries: readonly ImageEntry[]): Promise<Buffer> {
  const archive = pack();
  const whole = buffer(archive);
  // A fixed time, for equal bytes.
  const mtime = new Date(0);
  for (const entry of entries) {
    const name = entry.path;
    if (entry.type === 'file') archive.entry({ name, mode: entry.mode, mtime }, Buffer.from(entry.content));
    else if (entry.type === 'directory') archive.entry({ name, type: 'directory', mode: entry.mode, mtime });
    else archive.entry({ name, type: 'symlink', linkname: entry.target, mtime });
  }
  archive.finalize();
  return whole;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function digest(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

function descriptor(mediaType: string, content: Uint8Array): object {
  return { mediaType, digest: digest(content), size: content.length };
}
