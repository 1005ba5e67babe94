import type { NodeApi } from '#machinery/node-api.ts';
import type { CriStreams } from '../cri/streams.ts';
import type { NodeParts } from '../parts.ts';
import type { PodManager } from '../pods/pod-manager.ts';
import { nodePage } from './node-pages.ts';
import { readPodLog } from './pod-log.ts';
import { runningContainer, runningSandbox } from './targets.ts';

export interface NodeApiOptions {
  readonly parts: NodeParts;
  readonly manager: PodManager;
  readonly streams: CriStreams;
}

/** What the API server may ask this node for. */
export function createNodeApi({ parts, manager, streams }: NodeApiOptions): NodeApi {
  const { cri } = parts;
  return {
    logs: async (request, signal) => readPodLog(parts, manager, request, signal),
    async exec(request, signal) {
      const { id } = runningContainer(manager, request);
      const { command, stdin, stdout, stderr, tty } = request;
      const set = { stdin, stdout, stderr: stderr && !tty, tty };
      const url = await cri.exec({ containerId: id, cmd: command, ...set }, signal);
      return streams.process(url, set, signal);
    },
    async attach(request, signal) {
      const { id } = runningContainer(manager, request);
      const { stdin, stdout, stderr, tty } = request;
      const set = { stdin, stdout, stderr: stderr && !tty, tty };
      const url = await cri.attach({ containerId: id, ...set }, signal);
      return streams.process(url, set, signal);
    },
    async portForward(request, signal) {
      const { id } = runningSandbox(manager, request);
      const url = await cri.portForward({ podSandboxId: id, port: [request.port] }, signal);
      return streams.portForward(url, request.port, signal);
    },
    http: (request, signal) => nodePage({ parts, manager }, request, signal),
  };
}
