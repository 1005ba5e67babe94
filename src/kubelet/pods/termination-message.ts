import type { NodeParts } from '../parts.ts';
import { annotation } from '../runtime/names.ts';
import type { RuntimeContainer } from '../runtime/pod-runtime.ts';

/** With FallbackToLogsOnError: at most so much of the end of the log. */
const logTail = { lines: 80, bytes: 2048 } as const;

/** What a container that has ended says about it, by its message policy. */
export async function readTerminationMessage(parts: NodeParts, container: RuntimeContainer): Promise<string> {
  const path = container.annotations[annotation.terminationMessagePath] ?? '';
  const text = path === '' ? '' : await parts.volumes.terminationMessage(container.mounts, path);
  const policy = container.annotations[annotation.terminationMessagePolicy];
  if (text !== '' || policy !== 'FallbackToLogsOnError' || container.exitCode === 0 || container.logPath === '')
    return text;
  return parts.host.logs.tail(container.logPath, logTail);
}
