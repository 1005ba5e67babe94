/** An image reference in its parts, with the defaults of the Docker world filled in. */
export interface ImageReference {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const shape =
  /^(?:((?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::\d+)?|\[[0-9a-fA-F:]+\](?::\d+)?)\/)?([a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)(?::([\w][\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$/;

/** Undefined for a text that is no reference (reported as InvalidImageName). */
export function parseImageReference(text: string): ImageReference | undefined {
  const match = shape.exec(text);
  if (match === null) return undefined;
  let [, registry, repository = '', tag, digest] = match;
  // The first part is a registry only when it looks like a host; else it belongs to the name.
  if (registry !== undefined && !/[.:]|^localhost$/.test(registry)) {
    repository = `${registry}/${repository}`;
    registry = undefined;
    if (repository !== repository.toLowerCase()) return undefined;
  }
  if (registry === undefined || registry === 'index.docker.io') registry = 'docker.io';
  if (registry === 'docker.io' && !repository.includes('/')) repository = `library/${repository}`;
  if (tag === undefined && digest === undefined) tag = 'latest';
  return { registry, repository, tag, digest };
}

/** The full form: `docker.io/library/nginx:latest`. */
export function formatImageReference({ registry, repository, tag, digest }: ImageReference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}
