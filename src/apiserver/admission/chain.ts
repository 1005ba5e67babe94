import type { Registry } from '../registry/registry.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts';

/** All plugins in their order. Which of them a request concerns is looked up once for each resource and operation. */
export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];
  readonly #mutating = new Map<string, readonly AdmissionPlugin[]>();
  readonly #validating = new Map<string, readonly AdmissionPlugin[]>();

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  async mutate(registry: Registry, attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#concerned(this.#mutating, 'mutate', attributes)) {
      const pending = plugin.mutate!(attributes, registry);
      if (pending !== undefined) await pending;
    }
  }

  async validate(registry: Registry, attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#concerned(this.#validating, 'validate', attributes)) {
      const pending = plugin.validate!(attributes, registry);
      if (pending !== undefined) await pending;
    }
  }

  #concerned(
    known: Map<string, readonly AdmissionPlugin[]>,
    phase: 'mutate' | 'validate',
    { operation, request }: AdmissionAttributes,
  ): readonly AdmissionPlugin[] {
    const { group, resource } = request.resource.kind;
    const path = `${group}/${resource}${request.subresource === '' ? '' : `/${request.subresource}`}`;
    const key = `${operation} ${path}`;
    let plugins = known.get(key);
    if (plugins === undefined) {
      plugins = this.#plugins.filter(
        (plugin) =>
          plugin[phase] !== undefined &&
          plugin.operations.includes(operation) &&
          (plugin.resources?.includes(path) ?? true),
      );
      known.set(key, plugins);
    }
    return plugins;
  }
}
