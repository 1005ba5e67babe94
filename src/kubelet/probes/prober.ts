import type { Environment } from '#base/environment.ts';
import type { Container, Pod, Probe } from '#kinds/generated/types/core_v1.ts';
import { formatDuration } from '#machinery/time.ts';
import { type Cri, CriError } from '../cri/cri.ts';
import type { HostNetwork } from '../host/host.ts';
import type { Semaphore } from '../semaphore.ts';
import { httpRequest, tcpTarget } from './handler.ts';

export type ProbeOutcome =
  | { readonly result: 'success' }
  | { readonly result: 'failure'; readonly output: string }
  /** The probe itself did not work: counts neither way. */
  | { readonly result: 'error'; readonly output: string };

export interface ProbeTarget {
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly address: string;
}

const maxOutputCharacters = 10 * 1024;

/** Runs one probe once. */
export class Prober {
  readonly #cri: Cri;
  readonly #network: HostNetwork;
  readonly #environment: Environment;
  readonly #execPermits: Semaphore;

  constructor(options: {
    readonly cri: Cri;
    readonly network: HostNetwork;
    readonly environment: Environment;
    readonly execPermits: Semaphore;
  }) {
    this.#cri = options.cri;
    this.#network = options.network;
    this.#environment = options.environment;
    this.#execPermits = options.execPermits;
  }

  async run(probe: Probe, target: ProbeTarget, signal: AbortSignal): Promise<ProbeOutcome> {
    const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
    try {
      if (probe.exec !== undefined) return await this.#exec(probe.exec.command ?? [], timeoutMs, target, signal);
      if (probe.httpGet !== undefined) return await this.#http(probe, timeoutMs, target, signal);
      if (probe.tcpSocket !== undefined) return await this.#tcp(probe.tcpSocket, timeoutMs, target, signal);
      if (probe.grpc !== undefined) return await this.#grpc(probe.grpc, timeoutMs, target, signal);
      return { result: 'error', output: `missing probe handler for ${target.pod.metadata.name}` };
    } catch (error) {
      signal.throwIfAborted();
      return { result: 'error', output: messageOf(error) };
    }
  }

  async #exec(
    command: readonly string[],
    timeoutMs: number,
    { containerId }: ProbeTarget,
    signal: AbortSignal,
  ): Promise<ProbeOutcome> {
    const release = await this.#execPermits.acquire(signal);
    try {
      const timeout = Math.ceil(timeoutMs / 1000);
      const { exitCode, stdout, stderr } = await this.#cri.execSync({ containerId, cmd: command, timeout }, signal);
      if (exitCode === 0) return { result: 'success' };
      const output = Buffer.concat([stdout, stderr]).toString('utf8');
      return { result: 'failure', output: output.slice(0, maxOutputCharacters) };
    } catch (error) {
      if (error instanceof CriError && error.code === 'DeadlineExceeded')
        return {
          result: 'failure',
          output: `command timed out: ${JSON.stringify(command.join(' '))} timed out after ${formatDuration(timeoutMs)}`,
        };
      throw error;
    } finally {
      release();
    }
  }

  async #http(probe: Probe, timeoutMs: number, target: ProbeTarget, signal: AbortSignal): Promise<ProbeOutcome> {
    const action = probe.httpGet!;
    const request = httpRequest(action, target.container, {
      podIp: target.address,
      timeoutMs,
      userAgent: 'kube-probe/1.36',
    });
    return this.#reached(async () => {
      const { status } = await this.#network.httpGet(request, signal);
      return status >= 200 && status < 400 ? '' : `HTTP probe failed with statuscode: ${status}`;
    }, signal);
  }

  async #tcp(
    action: NonNullable<Probe['tcpSocket']>,
    timeoutMs: number,
    { container, address }: ProbeTarget,
    signal: AbortSignal,
  ): Promise<ProbeOutcome> {
    const target = tcpTarget(action, container, { podIp: address, timeoutMs });
    return this.#reached(async () => {
      await this.#network.tcpConnect(target, signal);
      return '';
    }, signal);
  }

  async #grpc(
    action: NonNullable<Probe['grpc']>,
    timeoutMs: number,
    { address }: ProbeTarget,
    signal: AbortSignal,
  ): Promise<ProbeOutcome> {
    return this.#reached(async () => {
      const target = { host: address, port: action.port, timeoutMs, service: action.service ?? '' };
      const health = await this.#network.grpcHealth(target, signal);
      return health === 'SERVING' ? '' : `service unhealthy (responded with "${health}")`;
    }, signal);
  }

  /** Not reaching the target is a failure of the target, not of the probe. */
  async #reached(attempt: () => Promise<string>, signal: AbortSignal): Promise<ProbeOutcome> {
    try {
      const problem = await attempt();
      return problem === '' ? { result: 'success' } : { result: 'failure', output: problem };
    } catch (error) {
      signal.throwIfAborted();
      this.#environment.log.debug('probe failed', { message: messageOf(error) });
      return { result: 'failure', output: messageOf(error) };
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
