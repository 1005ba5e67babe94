import { schemaOfKind } from '#kinds/resources.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { encodeProtobuf } from '#machinery/protobuf.ts';
import { createNamespace, podText } from './large-store.ts';
import { LoadClient, measureRate } from './load.ts';
import type { Target } from './target.ts';

const media = { json: 'application/json', protobuf: 'application/vnd.kubernetes.protobuf' } as const;
type Form = keyof typeof media;
const namespace = 'forms';
const listed = 500;
/** More than any server creates in the time. */
const mostCreates = 20_000;
const pods = `/api/v1/namespaces/${namespace}/pods`;

export interface FormFigures {
  readonly createsPerSecond: number;
  readonly getsPerSecond: number;
  /** Lists of 500 pods. */
  readonly listsPerSecond: number;
}

/** Pods in either form: created, read and listed. */
export async function measureForms(
  { access }: Target,
  durationMs: number,
): Promise<Readonly<Record<Form, FormFigures>>> {
  const client = new LoadClient(access, 32);
  const schema = schemaOfKind('v1', 'Pod')!;
  await createNamespace(client, namespace);
  let next = 0;
  const body = (form: Form): string | Uint8Array => {
    const text = podText(next++);
    return form === 'json' ? text : encodeProtobuf(JSON.parse(text) as JsonObject, schema);
  };
  while (next < listed) await client.call('POST', pods, body('json'));
  const measure = async (form: Form): Promise<FormFigures> => {
    const read = (path: string) => () => client.call('GET', path, '', undefined, media[form]);
    const gets = await measureRate(32, durationMs, read(`${pods}/pod-0`));
    const lists = await measureRate(4, durationMs, read(`${pods}?limit=${listed}`));
    // Made beforehand: what the client spends on a body is not the server's.
    const bodies = Array.from({ length: mostCreates }, () => body(form));
    const creates = await measureRate(32, durationMs, async () => {
      const made = bodies.pop();
      if (made === undefined) throw new Error('more pods were created than there are bodies');
      await client.call('POST', pods, made, media[form], media[form]);
    });
    return { createsPerSecond: creates.perSecond, getsPerSecond: gets.perSecond, listsPerSecond: lists.perSecond };
  };
  // Once without being looked at: what comes first warms up for what follows. Then there and back, for either form
  // finds as many pods in the store as the other.
  await measure('json');
  await measure('protobuf');
  const first = { json: await measure('json'), protobuf: await measure('protobuf') };
  const second = { protobuf: await measure('protobuf'), json: await measure('json') };
  const figures = { json: mean(first.json, second.json), protobuf: mean(first.protobuf, second.protobuf) };
  client.close();
  return figures;
}

function mean(left: FormFigures, right: FormFigures): FormFigures {
  return {
    createsPerSecond: (left.createsPerSecond + right.createsPerSecond) / 2,
    getsPerSecond: (left.getsPerSecond + right.getsPerSecond) / 2,
    listsPerSecond: (left.listsPerSecond + right.listsPerSecond) / 2,
  };
}
