import type { Kind } from '#kinds/kind.ts';
import type { ResourceTable } from '../resources/resource.ts';
import type { RemoteApi } from './aggregator.ts';
import { compareVersions } from './priorities.ts';

interface DiscoveredResource {
  readonly resource: string;
  readonly responseKind?: { readonly group?: string; readonly version?: string; readonly kind: string };
  readonly scope: string;
  readonly verbs: readonly string[];
}

/** What controllers have to know of the servers behind this one. */
export class AggregatedApis {
  readonly #remotes: () => Iterable<RemoteApi>;
  readonly #resources: ResourceTable;

  constructor(remotes: () => Iterable<RemoteApi>, resources: ResourceTable) {
    this.#remotes = remotes;
    this.#resources = resources;
  }

  /** Kinds that can be listed and deleted, each in the version that is preferred. */
  kinds(): readonly { readonly kind: Kind; readonly isWatchable: boolean }[] {
    const found = new Map<string, { readonly kind: Kind; readonly isWatchable: boolean }>();
    for (const { group, version, discovery } of this.#served()) {
      for (const each of (discovery?.resources ?? []) as unknown as readonly DiscoveredResource[]) {
        const { resource, responseKind, scope, verbs } = each;
        const key = `${group}/${resource}`;
        if (found.has(key) || responseKind === undefined || !verbs.includes('list') || !verbs.includes('delete'))
          continue;
        const kind = { group, version, kind: responseKind.kind, resource, namespaced: scope === 'Namespaced' };
        found.set(key, { kind, isWatchable: verbs.includes('watch') });
      }
    }
    return [...found.values()];
  }

  /** Group versions whose server cannot be asked now. */
  stale(): readonly string[] {
    return this.#served().flatMap(({ isAvailable, group, version }) => (isAvailable ? [] : [`${group}/${version}`]));
  }

  #served(): readonly RemoteApi[] {
    return [...this.#remotes()]
      .filter(({ group, version }) => !this.#resources.hasGroupVersion(group, version))
      .sort(
        (left, right) => right.priority.version - left.priority.version || compareVersions(left.version, right.version),
      );
  }
}
