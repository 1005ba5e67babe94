import type { NodeParts } from '../parts.ts';
import type { PodManager } from '../pods/pod-manager.ts';

/** What the node's own HTTP paths tell of. */
export interface PageContext {
  readonly parts: NodeParts;
  readonly manager: PodManager;
}
