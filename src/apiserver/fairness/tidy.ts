import type { Client } from '#client/client.ts';
import { FlowSchema, PriorityLevelConfiguration } from '#kinds/generated/handles.ts';
import type {
  PriorityLevelConfiguration as LevelObject,
  FlowSchema as SchemaObject,
} from '#kinds/generated/types/flowcontrol_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { equalValues } from '#machinery/equality.ts';
import { isReason } from '#machinery/errors.ts';
import { type ApiObject, apiVersionOf } from '#machinery/meta.ts';
import { formatTime } from '#machinery/time.ts';
import bootstrap from '../bootstrap/objects.json' with { type: 'json' };
import type { ResourceTable } from '../resources/resource.ts';

/** Under these names upstream keeps the objects, and says what became of them. */
export const producer = { fieldManager: 'api-priority-and-fairness-config-producer-v1' } as const;
const consumer = { fieldManager: 'api-priority-and-fairness-config-consumer-v1', subresource: 'status' } as const;
/** Without these no request would find its level: they are what upstream calls mandatory. */
const mandatory = new Set(['exempt', 'catch-all']);
/** Objects that say so are kept as this version suggests them. */
const autoUpdate = 'apf.kubernetes.io/autoupdate-spec';
const sections = [
  [PriorityLevelConfiguration as Kind, bootstrap.prioritylevelconfigurations],
  [FlowSchema as Kind, bootstrap.flowschemas],
] as const;

/** Puts the default objects back to what they have to be, and notes on each schema whether its level exists. */
export async function tidyFlowControl(client: Client, resources: ResourceTable, now: number): Promise<void> {
  for (const [kind, objects] of sections)
    for (const wanted of objects as unknown as readonly ApiObject[]) {
      const current = find(resources, kind, wanted);
      const follows = current?.metadata.annotations?.[autoUpdate] === 'true';
      if (current === undefined || follows || mandatory.has(wanted.metadata.name ?? ''))
        await restore(client, kind, wanted, current);
    }
  for (const { value } of [...resources.of(FlowSchema).storage!.cache.entries()]) {
    const schema = value.object as SchemaObject;
    const condition = danglingCondition(schema, levelOf(resources, schema));
    const known = schema.status?.conditions?.find(({ type }) => type === 'Dangling');
    if (known?.status === condition.status && known.message === condition.message) continue;
    const lastTransitionTime = known?.status === condition.status ? known.lastTransitionTime : formatTime(now);
    const conditions = [{ ...condition, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) }];
    const body = { ...identityOf(schema), status: { conditions } };
    await client
      .patch(FlowSchema, { name: schema.metadata.name ?? '' }, { type: 'apply', force: true, body }, consumer)
      .catch(ignoreRaces);
  }
}

function find(resources: ResourceTable, kind: Kind, { metadata }: ApiObject): ApiObject | undefined {
  return resources.of(kind).storage!.cache.get(metadata.name ?? '')?.value.object;
}

async function restore(client: Client, kind: Kind, wanted: ApiObject, current: ApiObject | undefined): Promise<void> {
  if (current === undefined) {
    await client.create(kind, wanted, producer).catch(ignoreRaces);
    return;
  }
  const { spec } = wanted as ApiObject & { readonly spec: object };
  if (covers((current as ApiObject & { readonly spec: object }).spec, spec)) return;
  await client.update(kind, { ...current, spec } as ApiObject, producer).catch(ignoreRaces);
}

/** Whether an object says all that another does; what defaults added is no difference. */
function covers(current: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) return equalValues(current, wanted);
  if (typeof current !== 'object' || current === null) return false;
  return Object.entries(wanted).every(([key, value]) => covers((current as Record<string, unknown>)[key], value));
}

function identityOf({ metadata: { name, uid } }: SchemaObject): object {
  return { apiVersion: apiVersionOf(FlowSchema), kind: FlowSchema.kind, metadata: { name, uid } };
}

function levelOf(resources: ResourceTable, { spec }: SchemaObject): LevelObject | undefined {
  const { cache } = resources.of(PriorityLevelConfiguration).storage!;
  return cache.get(spec.priorityLevelConfiguration.name)?.value.object as LevelObject | undefined;
}

function danglingCondition(
  { spec }: SchemaObject,
  level: LevelObject | undefined,
): { readonly type: string; readonly status: string; readonly reason: string; readonly message: string } {
  const name = JSON.stringify(spec.priorityLevelConfiguration.name);
  const refers = `This FlowSchema references the PriorityLevelConfiguration object named ${name}`;
  if (level === undefined)
    return { type: 'Dangling', status: 'True', reason: 'NotFound', message: `${refers} but there is no such object` };
  return { type: 'Dangling', status: 'False', reason: 'Found', message: `${refers} and it exists` };
}

function ignoreRaces(error: unknown): void {
  if (!isReason(error, 'Conflict') && !isReason(error, 'NotFound') && !isReason(error, 'AlreadyExists')) throw error;
}
