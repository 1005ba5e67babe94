import type { Random } from '#base/random.ts';

/** A time in milliseconds, or a range out of which each use draws one evenly. */
export type Duration = number | { readonly fromMs: number; readonly toMs: number };

/** How the containers of simulated nodes behave. Everything random comes from the environment's seed. */
export interface SimulatedBehaviour {
  /** From the request for a sandbox until it has its address. */
  readonly sandbox: Duration;
  /** From the request to start a container until it runs. */
  readonly start: Duration;
  /** From running until probes succeed. */
  readonly ready: Duration;
  /** How long an init container runs before it exits with 0. */
  readonly initRun: Duration;
  readonly pull: Duration;
  /** From the stop signal until the container has ended. */
  readonly stop: Duration;
  /** From the request to resize a running container until it has what was asked for. */
  readonly resize: Duration;
  /** The chance (0 to 1) that a started app container exits with 1 after `failAfter`. */
  readonly failChance: number;
  readonly failAfter: Duration;
}

export const defaultBehaviour: SimulatedBehaviour = {
  sandbox: 0,
  start: 0,
  ready: 0,
  initRun: 0,
  pull: 0,
  stop: 0,
  resize: 0,
  failChance: 0,
  failAfter: 1000,
};

/**
 * Pod annotations that steer one pod; with `.<container>` behind the name, one container of it. Times in seconds with
 * a fraction.
 */
export const simulationAnnotation = {
  /** The container exits by itself after this time. */
  runSeconds: 'simulation.proa.dev/run-seconds',
  /** With which code it then exits; 0 when absent. */
  exitCode: 'simulation.proa.dev/exit-code',
  /** Only the first so many attempts end that way; later ones run on. */
  failures: 'simulation.proa.dev/failures',
  startSeconds: 'simulation.proa.dev/start-seconds',
  readySeconds: 'simulation.proa.dev/ready-seconds',
  /** Pulls of this pod's images fail with this message. */
  pullError: 'simulation.proa.dev/pull-error',
} as const;

export function draw(duration: Duration, random: Random): number {
  if (typeof duration === 'number') return duration;
  return duration.fromMs + random.next() * (duration.toMs - duration.fromMs);
}

/** What a container started now will do. `exitAfterMs` undefined: it runs until it is stopped. */
export interface Fate {
  readonly startMs: number;
  readonly readyMs: number;
  readonly exitAfterMs: number | undefined;
  readonly exitCode: number;
}

export function fateOf(
  container: {
    readonly name: string;
    readonly attempt: number;
    readonly isInit: boolean;
    readonly podAnnotations: Readonly<Record<string, string>>;
  },
  behaviour: SimulatedBehaviour,
  random: Random,
): Fate {
  const steer = (name: string): number | undefined => {
    const text = container.podAnnotations[`${name}.${container.name}`] ?? container.podAnnotations[name];
    const value = Number(text);
    return text === undefined || Number.isNaN(value) ? undefined : value;
  };
  const seconds = (name: string): number | undefined => {
    const value = steer(name);
    return value === undefined ? undefined : value * 1000;
  };
  const startMs = seconds(simulationAnnotation.startSeconds) ?? draw(behaviour.start, random);
  const readyMs = seconds(simulationAnnotation.readySeconds) ?? draw(behaviour.ready, random);
  const isNamed = `${simulationAnnotation.runSeconds}.${container.name}` in container.podAnnotations;
  if (container.isInit && !isNamed)
    return { startMs, readyMs, exitAfterMs: draw(behaviour.initRun, random), exitCode: 0 };
  const runMs = seconds(simulationAnnotation.runSeconds);
  const failures = steer(simulationAnnotation.failures);
  if (runMs !== undefined && (failures === undefined || container.attempt < failures))
    return { startMs, readyMs, exitAfterMs: runMs, exitCode: steer(simulationAnnotation.exitCode) ?? 0 };
  if (behaviour.failChance > 0 && random.next() < behaviour.failChance)
    return { startMs, readyMs, exitAfterMs: draw(behaviour.failAfter, random), exitCode: 1 };
  return { startMs, readyMs, exitAfterMs: undefined, exitCode: 0 };
}
