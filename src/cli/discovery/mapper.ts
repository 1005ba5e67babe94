import { apiVersionOf, parseApiVersion } from '#machinery/meta.ts';
import { CliError } from '../failures.ts';

/** A resource as the server's discovery tells of it. */
export interface ResourceInfo {
  readonly group: string;
  readonly version: string;
  /** Place among its group's versions; 0 is preferred. */
  readonly versionRank: number;
  /** Plural and lower case: `pods`. */
  readonly resource: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly string[];
}

/** `deployments.apps`, or `pods` in the core group. */
export const qualifiedName = ({ group, resource }: ResourceInfo): string =>
  group === '' ? resource : `${resource}.${group}`;

/** `deployment.apps/web`: how results speak of an object. */
export function objectLabel({ group, kind }: Pick<ResourceInfo, 'group' | 'kind'>, name: string): string {
  return `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${name}`;
}

export interface ResourcePlace {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** Path of a collection, an object or a subresource. */
export function resourcePath(info: ResourceInfo, { namespace, name, subresource }: ResourcePlace): string {
  const root = info.group === '' ? '/api' : '/apis';
  const scope =
    info.namespaced && namespace !== undefined && namespace !== ''
      ? `/namespaces/${encodeURIComponent(namespace)}`
      : '';
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${root}/${apiVersionOf(info)}${scope}/${info.resource}${object}${subresource === undefined ? '' : `/${subresource}`}`;
}

/** No resource of this name is served. */
export class NoResourceError extends CliError {
  constructor(resource: string) {
    super(`the server doesn't have a resource type "${resource}"`);
  }
}

/** No resource for this kind is served. */
export class NoKindError extends CliError {
  constructor(kind: string, apiVersion: string) {
    super(`no matches for kind "${kind}" in version "${apiVersion}"`);
  }
}

/** From what people write to what the server serves (client-go's restmapper with its shortcut expander). */
export class RestMapper {
  /** In the server's order: the core group first, preferred versions first. */
  readonly all: readonly ResourceInfo[];

  constructor(all: readonly ResourceInfo[]) {
    this.all = all;
  }

  /**
   * `pods`, `po`, `Pod`, `deployments.apps`, `deployments.v1.apps`. Throws NoResourceError.
   */
  resource(text: string): ResourceInfo {
    const [name = '', ...rest] = text.toLowerCase().split('.');
    if (rest.length > 1) {
      const [version = '', ...group] = rest;
      const exact = this.#find(name, { version, group: group.join('.') });
      if (exact !== undefined) return exact;
    }
    const group = rest.join('.');
    const found = this.#find(name, rest.length === 0 ? {} : { group }) ?? this.#find(text.toLowerCase(), {});
    if (found !== undefined) return found;
    // `pods.v1.` names a version of the core group.
    if (rest.length === 2 && rest[1] === '') {
      const core = this.#find(name, { version: rest[0]!, group: '' });
      if (core !== undefined) return core;
    }
    const prefixed = rest.length === 0 ? undefined : this.#findGroupPrefix(name, group);
    if (prefixed !== undefined) return prefixed;
    throw new NoResourceError(name);
  }

  /** Like `resource`, but undefined when there is none. */
  tryResource(text: string): ResourceInfo | undefined {
    try {
      return this.resource(text);
    } catch (error) {
      if (error instanceof NoResourceError) return undefined;
      throw error;
    }
  }

  /** Throws NoKindError. */
  kind(apiVersion: string, kind: string): ResourceInfo {
    const { group, version } = parseApiVersion(apiVersion);
    const found = this.all.find((info) => info.kind === kind && info.group === group && info.version === version);
    if (found === undefined) throw new NoKindError(kind, apiVersion);
    return found;
  }

  /** The resources of a category (`all`), preferred versions only; empty when it is no category. */
  category(name: string): readonly ResourceInfo[] {
    return this.preferred().filter(({ categories }) => categories.includes(name));
  }

  /** One version of each resource. */
  preferred(): readonly ResourceInfo[] {
    const best = new Map<string, ResourceInfo>();
    for (const info of this.all) {
      const known = best.get(qualifiedName(info));
      if (known === undefined || info.versionRank < known.versionRank) best.set(qualifiedName(info), info);
    }
    return [...best.values()];
  }

  #find(name: string, where: { readonly group?: string; readonly version?: string }): ResourceInfo | undefined {
    const candidates = this.all.filter(
      (info) =>
        (where.group === undefined || info.group === where.group) &&
        (where.version === undefined || info.version === where.version),
    );
    const best = (matches: (info: ResourceInfo) => boolean): ResourceInfo | undefined => {
      const found = candidates.filter(matches);
      // The first group in the server's order, and of it the preferred version.
      const group = found[0]?.group;
      return found.filter((info) => info.group === group).sort((a, b) => a.versionRank - b.versionRank)[0];
    };
    return (
      best(({ resource }) => resource === name) ??
      best(({ singular, kind }) => (singular || kind.toLowerCase()) === name || kind.toLowerCase() === name) ??
      best(({ shortNames }) => shortNames.includes(name))
    );
  }

  /** `ingresses.networking` is enough where it is plain which group is meant. */
  #findGroupPrefix(name: string, prefix: string): ResourceInfo | undefined {
    const groups = new Set(this.all.map(({ group }) => group).filter((group) => group.startsWith(prefix)));
    for (const group of groups) {
      const found = this.#find(name, { group });
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
