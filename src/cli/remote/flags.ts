import { booleanFlag, durationFlag, type Flag, textFlag } from '../flags.ts';

export function podRunningTimeoutFlag(initialMs: number): Flag<number> {
  return durationFlag(
    initialMs,
    'The length of time (like 5s, 2m, or 3h, higher than zero) to wait until at least one pod is running',
  );
}

/** What `attach` and `exec` ask alike. */
export const sessionFlags = {
  container: textFlag(
    'Container name. If omitted, use the kubectl.kubernetes.io/default-container annotation for selecting the container to be attached or the first container in the pod will be chosen',
    { short: 'c' },
  ),
  'pod-running-timeout': podRunningTimeoutFlag(60_000),
  quiet: booleanFlag('Only print output from the remote session', { short: 'q' }),
  stdin: booleanFlag('Pass stdin to the container', { short: 'i' }),
  tty: booleanFlag('Stdin is a TTY', { short: 't' }),
} as const;
