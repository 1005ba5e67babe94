import { ageOf } from '#machinery/time.ts';
import type { Shown, TableColumn } from './table.ts';

/** A Scale as far as its table shows it. */
interface ShownScale {
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly replicas?: number };
}

const column = (name: string, type: string, format = ''): TableColumn => ({ name, type, format, priority: 0 });

/** How `kubectl get --subresource=scale` prints: custom kinds tell of the columns in other types. */
export function scaleShown({ isCustom }: { readonly isCustom: boolean }): Shown {
  return {
    kind: { group: 'autoscaling', version: 'v1', kind: 'Scale', resource: 'scales', namespaced: true },
    columns: [
      isCustom ? column('Name', 'string', 'name') : column('Name', 'string'),
      column('Desired', 'integer'),
      column('Available', 'integer'),
      isCustom ? column('Age', 'date') : column('Age', 'string'),
    ],
    rules: {
      cells: ({ metadata, ...rest }, now) => {
        const { spec, status } = rest as ShownScale;
        const { name = '', creationTimestamp } = metadata;
        return [name, spec?.replicas ?? 0, status?.replicas ?? 0, ageOf(creationTimestamp, now)];
      },
    },
  };
}
