import { type Clock, sleep } from '#base/clock.ts';
import type { Container, LifecycleHandler } from '#kinds/generated/types/core_v1.ts';
import { type Cri, CriError } from '../cri/cri.ts';
import type { HostNetwork } from '../host/host.ts';
import { httpRequest, tcpTarget } from '../probes/handler.ts';

/** How long a hook's own connection may take; the container's grace period bounds the whole. */
const hookTimeoutMs = 30_000;

export interface HookTarget {
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

/** Runs lifecycle hooks. Rejects with what went wrong, in upstream's words. */
export class HookRunner {
  readonly #cri: Cri;
  readonly #network: HostNetwork;
  readonly #clock: Clock;

  constructor(options: { readonly cri: Cri; readonly network: HostNetwork; readonly clock: Clock }) {
    this.#cri = options.cri;
    this.#network = options.network;
    this.#clock = options.clock;
  }

  async run(handler: LifecycleHandler, target: HookTarget, signal: AbortSignal): Promise<void> {
    const { container, podIp } = target;
    if (handler.exec !== undefined) return this.#exec(handler.exec.command ?? [], target, signal);
    if (handler.sleep !== undefined) return sleep(this.#clock, handler.sleep.seconds * 1000, signal);
    if (handler.httpGet !== undefined) {
      const request = httpRequest(handler.httpGet, container, {
        podIp,
        timeoutMs: hookTimeoutMs,
        userAgent: 'kube-lifecycle/v1.36',
      });
      const { status } = await this.#network.httpGet(request, signal);
      if (status >= 400) throw new Error(`HTTP request failed with status ${status}`);
      return;
    }
    if (handler.tcpSocket !== undefined)
      await this.#network.tcpConnect(
        tcpTarget(handler.tcpSocket, container, { podIp, timeoutMs: hookTimeoutMs }),
        signal,
      );
  }

  async #exec(command: readonly string[], { container, containerId }: HookTarget, signal: AbortSignal): Promise<void> {
    const what = `Exec lifecycle hook ([${command.join(' ')}]) for Container "${container.name}" failed`;
    let answer: { readonly exitCode: number; readonly stdout: Uint8Array; readonly stderr: Uint8Array };
    try {
      answer = await this.#cri.execSync({ containerId, cmd: command, timeout: 0 }, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CriError) throw new Error(`${what} - error: ${error.message}`);
      throw error;
    }
    if (answer.exitCode === 0) return;
    const output = Buffer.concat([answer.stdout, answer.stderr]).toString('utf8');
    throw new Error(
      `${what} - error: command '${command.join(' ')}' exited with ${answer.exitCode}: ${output}, message: ${JSON.stringify(output)}`,
    );
  }
}
