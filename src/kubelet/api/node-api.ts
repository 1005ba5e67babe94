import { ApiError } from '#machinery/errors.ts';
import type { NodeApi } from '#machinery/node-api.ts';
import type { CriStreams } from '../cri/streams.ts';
import type { NodeParts } from '../parts.ts';
import type { PodManager } from '../pods/pod-manager.ts';

export interface NodeApiOptions {
  readonly parts: NodeParts;
  readonly manager: PodManager;
  readonly streams: CriStreams;
}

/** What the API server may ask this node for. */
export function createNodeApi(_options: NodeApiOptions): NodeApi {
  const missing = async (): Promise<never> => {
    throw new ApiError(501, 'InternalError', 'not implemented');
  };
  return { logs: missing, exec: missing, attach: missing, portForward: missing, http: missing };
}
