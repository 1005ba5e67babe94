import { type Clock, sleep } from '#base/clock.ts';
import { type Cri, CriError, type CriEvent } from '../cri/cri.ts';
import type { GrpcChannel } from './channel.ts';
import { decodeMessage, encodeMessage, type MessageTable } from './protobuf.ts';

/** The part of containerd.services.events.v1 and containerd.events that is read here. */
const table: MessageTable = {
  SubscribeRequest: [[1, 'filters', 'string', 'repeated']],
  Envelope: [
    [3, 'topic', 'string'],
    [4, 'event', 'Any'],
  ],
  Any: [
    [1, 'typeUrl', 'string'],
    [2, 'value', 'bytes'],
  ],
  TaskStart: [[1, 'containerId', 'string']],
  TaskDelete: [
    [1, 'containerId', 'string'],
    [3, 'exitStatus', 'uint32'],
    [5, 'id', 'string'],
  ],
  TaskOOM: [[1, 'containerId', 'string']],
};

interface Envelope {
  readonly topic: string;
  readonly event?: { readonly typeUrl: string; readonly value: Uint8Array };
}

/** containerd keeps the containers of CRI in this namespace. */
const criNamespace = 'k8s.io';

/**
 * containerd's own events, since 1.6 does not implement CRI's GetContainerEvents. An exit is told once CRI's status
 * shows it: containerd deletes the task a moment before it writes the status down.
 */
export async function* containerdEvents(
  channel: GrpcChannel,
  cri: Cri,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<CriEvent, void, undefined> {
  const filters = ['start', 'delete', 'oom'].map((name) => `namespace==${criNamespace},topic=="/tasks/${name}"`);
  const request = encodeMessage('SubscribeRequest', { filters }, table);
  for await (const bytes of channel.stream('/containerd.services.events.v1.Events/Subscribe', request, signal)) {
    const { topic, event } = decodeMessage<Envelope>('Envelope', bytes, table);
    const value = event?.value ?? new Uint8Array(0);
    if (topic === '/tasks/start') {
      yield { type: 'started', id: decodeMessage<{ containerId: string }>('TaskStart', value, table).containerId };
    } else if (topic === '/tasks/oom') {
      yield { type: 'oom', id: decodeMessage<{ containerId: string }>('TaskOOM', value, table).containerId };
    } else {
      const { containerId, exitStatus, id } = decodeMessage<TaskDelete>('TaskDelete', value, table);
      // Commands that were run inside a container end under an id of their own.
      if (id !== '' && id !== containerId) continue;
      await statusShowsExit(cri, containerId, clock, signal);
      yield { type: 'exited', id: containerId, exitCode: exitStatus };
    }
  }
}

interface TaskDelete {
  readonly containerId: string;
  readonly exitStatus: number;
  readonly id: string;
}

/** Past this the event is passed on as it is. Delays double, from 1 ms. */
const settleAttempts = 9;

async function statusShowsExit(cri: Cri, id: string, clock: Clock, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; attempt < settleAttempts; attempt++) {
    try {
      const { status } = await cri.containerStatus({ containerId: id }, signal);
      if (status?.state === 'CONTAINER_EXITED') return;
    } catch (error) {
      // A sandbox, or removed already. What else is wrong shows at the caller's next question.
      if (error instanceof CriError) return;
      throw error;
    }
    await sleep(clock, 2 ** attempt, signal);
  }
}
