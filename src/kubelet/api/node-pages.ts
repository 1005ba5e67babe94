import { readdir, readFile, stat } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import type { NodeHttpRequest, NodeHttpResponse } from '#machinery/node-api.ts';
import { cadvisorMetrics } from './cadvisor.ts';
import { kubeletMetrics, resourceMetrics } from './metrics.ts';
import type { PageContext } from './page-context.ts';
import { readPodLog } from './pod-log.ts';
import { statsSummary } from './stats-summary.ts';

/** Logs of the machine that `/logs/` serves. */
const machineLogs = '/var/log';
const maxLogFileBytes = 64 * 2 ** 20;

/** The node's own HTTP paths. */
export async function nodePage(
  context: PageContext,
  request: NodeHttpRequest,
  signal: AbortSignal,
): Promise<NodeHttpResponse> {
  const url = new URL(request.path, 'http://node');
  const { pathname } = url;
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'method not allowed\n');
  if (pathname === '/healthz' || pathname.startsWith('/healthz/')) return plain(200, 'ok');
  if (pathname === '/pods' || pathname === '/pods/') return json(podList(context.manager.pods));
  if (pathname === '/runningpods' || pathname === '/runningpods/') return json(podList(runningPods(context)));
  if (pathname === '/stats/summary') return json(await statsSummary(context, url.searchParams, signal));
  if (pathname === '/metrics') return metrics(kubeletMetrics(context));
  if (pathname === '/metrics/cadvisor') return metrics(await cadvisorMetrics(context, signal));
  if (pathname === '/metrics/resource') return metrics(await resourceMetrics(context, signal));
  if (pathname === '/metrics/probes') return metrics(context.parts.metrics?.probes.render() ?? '');
  if (pathname === '/configz') return json({ kubeletconfig: configz(context) });
  if (pathname.startsWith('/containerLogs/')) return containerLogs(context, url, signal);
  if (pathname === '/logs' || pathname.startsWith('/logs/')) return machineLog(context, pathname);
  return plain(404, '404 page not found\n');
}

function podList(items: readonly object[]): object {
  return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items };
}

function runningPods({ manager }: PageContext): readonly object[] {
  return [...manager.workers]
    .filter(({ runtime }) => runtime.sandboxes.some(({ ready }) => ready))
    .map(({ pod, runtime }) => ({
      metadata: { name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid },
      spec: {
        containers: runtime.containers
          .filter(({ state }) => state === 'running')
          .map(({ name, image }) => ({ name, image, resources: {} })),
      },
      status: {},
    }));
}

/** The settings in the terms of KubeletConfiguration (kubelet.config.k8s.io/v1beta1). */
function configz({ parts }: PageContext): object {
  const { config } = parts;
  const seconds = (ms: number) => `${ms / 1000}s`;
  return {
    kind: 'KubeletConfiguration',
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    clusterDNS: config.clusterDns,
    clusterDomain: config.clusterDomain,
    maxPods: config.maxPods,
    ...(config.podCidr === undefined ? {} : { podCIDR: config.podCidr }),
    syncFrequency: seconds(config.syncMs),
    nodeStatusReportFrequency: seconds(config.nodeStatusReportMs),
    nodeLeaseDurationSeconds: config.leaseDurationSeconds,
    containerLogMaxSize: `${config.containerLogMaxBytes / 2 ** 20}Mi`,
    containerLogMaxFiles: config.containerLogMaxFiles,
    imageGCHighThresholdPercent: config.imageGcHighPercent,
    imageGCLowThresholdPercent: config.imageGcLowPercent,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: config.cgroupRoot,
    port: config.port,
    staticPodPath: '',
  };
}

function containerLogs({ parts, manager }: PageContext, url: URL, signal: AbortSignal): NodeHttpResponse {
  const [, , namespace = '', pod = '', container = ''] = url.pathname.split('/').map(decodeURIComponent);
  const query = url.searchParams;
  const number = (name: string): number | undefined => {
    const text = query.get(name);
    return text === null || !/^\d+$/.test(text) ? undefined : Number(text);
  };
  const optional = {
    sinceSeconds: number('sinceSeconds'),
    tailLines: number('tailLines'),
    limitBytes: number('limitBytes'),
  };
  const known = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  const body = readPodLog(
    parts,
    manager,
    {
      namespace,
      pod,
      container,
      follow: query.get('follow') === 'true',
      previous: query.get('previous') === 'true',
      timestamps: query.get('timestamps') === 'true',
      ...known,
    },
    signal,
  );
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

/** Files below the machine's log directory, and nothing else: links that lead out are not followed by name. */
async function machineLog({ parts }: PageContext, pathname: string): Promise<NodeHttpResponse> {
  if (parts.host.storage === undefined) return plain(404, '404 page not found\n');
  const relative = normalize(`/${decodeURIComponent(pathname.slice('/logs'.length))}`);
  const path = join(machineLogs, relative);
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return plain(404, '404 page not found\n');
  if (info.isFile()) {
    if (info.size > maxLogFileBytes) return plain(413, 'the file is too large\n');
    return plain(200, await readFile(path));
  }
  const entries = await readdir(path, { withFileTypes: true });
  const links = entries.map((entry) => {
    const name = entry.isDirectory() ? `${entry.name}/` : entry.name;
    return `<a href="${encodeURI(name)}">${name.replace(/[<&]/g, '')}</a>`;
  });
  const page = `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${links.join('\n')}\n</pre>\n`;
  return { ...plain(200, page), headers: { 'content-type': 'text/html; charset=utf-8' } };
}

function plain(status: number, body: string | Uint8Array): NodeHttpResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: once(body) };
}

function json(value: unknown): NodeHttpResponse {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: once(JSON.stringify(value)) };
}

function metrics(text: string): NodeHttpResponse {
  const type = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';
  return { status: 200, headers: { 'content-type': type }, body: once(text) };
}

async function* once(body: string | Uint8Array): AsyncIterable<Uint8Array> {
  yield typeof body === 'string' ? Buffer.from(body) : body;
}
