import type { Client } from '#client/client.ts';
import { type Controller, defineController, done } from '#client/controller.ts';
import { StorageVersionMigration as MigrationKind } from '#kinds/generated/handles.ts';
import type { StorageVersionMigration } from '#kinds/generated/types/storagemigration_v1beta1.ts';
import type { Kind } from '#kinds/kind.ts';
import { isReason } from '#machinery/errors.ts';
import type { Condition } from '#machinery/meta.ts';
import { formatTime } from '#machinery/time.ts';

/** Objects that are read at a time. */
const pageSize = 500;

/**
 * Writes every object of a resource again, unchanged, so that the store keeps all of them in the version and under the
 * key that it would use today (KEP-4192).
 */
export function storageVersionMigrator(kinds: readonly Kind[]): Controller {
  return defineController({
    name: 'storage-version-migrator-controller',
    setup({ watch, environment }) {
      const migrations = watch(MigrationKind, ({ metadata }) => [metadata.name ?? '']);
      return async (name, { client, signal }) => {
        const migration = migrations.get(undefined, name);
        if (migration === undefined || isOver(migration)) return done;
        const now = () => formatTime(environment.clock.now());
        const { group = '', resource } = migration.spec.resource;
        const kind = kinds.find((one) => one.group === group && one.resource === resource);
        if (kind === undefined) {
          const failed = condition(
            'Failed',
            'StorageVersionMigrationFailed',
            `resource does not exist: ${resource}`,
            now(),
          );
          await client.updateStatus(MigrationKind, { ...migration, status: { conditions: [failed] } }, { signal });
          return done;
        }
        const begun = condition('Running', 'StorageVersionMigrationInProgress', '', now());
        const running = await client.updateStatus(
          MigrationKind,
          { ...migration, status: { conditions: [begun] } },
          { signal },
        );
        const resourceVersion = await rewrite(client, kind, signal);
        const over = { ...begun, status: 'False' };
        const succeeded = condition('Succeeded', 'StorageVersionMigrationSucceeded', '', now());
        const status = { conditions: [over, succeeded], resourceVersion };
        await client.updateStatus(MigrationKind, { ...running, status }, { signal });
        return done;
      };
    },
  });
}

function isOver({ status }: StorageVersionMigration): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: value }) => (type === 'Succeeded' || type === 'Failed') && value === 'True',
  );
}

function condition(type: string, reason: string, message: string, lastTransitionTime: string): Condition {
  return { type, status: 'True', reason, message, lastTransitionTime };
}

/** @returns the resourceVersion up to which objects have been written again. */
async function rewrite(client: Client, kind: Kind, signal: AbortSignal): Promise<string> {
  let token: string | undefined;
  let resourceVersion = '';
  do {
    const page = await client.list(kind, {
      limit: pageSize,
      signal,
      ...(token === undefined ? {} : { continue: token }),
    });
    resourceVersion = page.metadata.resourceVersion ?? '';
    token = page.metadata.continue;
    for (const object of page.items) {
      await client.update(kind, object, { signal }).catch((error: unknown) => {
        // Who changed or deleted it meanwhile has done the work.
        if (!isReason(error, 'Conflict') && !isReason(error, 'NotFound')) throw error;
      });
    }
  } while (token !== undefined && token !== '');
  return resourceVersion;
}
