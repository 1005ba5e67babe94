import type * as core from '#kinds/generated/types/core_v1.ts';
import { isLatestImage } from '#kinds/image.ts';
import { type ResourceList, roundResources } from '#kinds/resource-list.ts';
import type { Mutable } from '#machinery/meta.ts';
import { formatQuantity, quantityOf, quantityOfMilli } from '#machinery/quantity.ts';
import { podRequests } from './requests.ts';
import { defaultVolume } from './volume-defaults.ts';

type PodSpec = Mutable<core.PodSpec>;
type Container = Mutable<core.Container>;

/** Fills in what a pod's specification leaves out, also inside templates. */
export function defaultPodSpec(spec: PodSpec): void {
  spec.dnsPolicy ??= 'ClusterFirst';
  spec.restartPolicy ??= 'Always';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ??= 'default-scheduler';
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container as Container);
  roundResources(spec.overhead as ResourceList | undefined);
  roundResources(spec.resources?.limits as ResourceList | undefined);
  roundResources(spec.resources?.requests as ResourceList | undefined);
  mirrorServiceAccount(spec);
}

/** The name of the service account stands in an older field as well. */
export function mirrorServiceAccount(spec: PodSpec): void {
  const name = spec.serviceAccountName ?? spec.serviceAccount;
  if (name === undefined) return;
  spec.serviceAccountName ??= name;
  if (spec.serviceAccount !== name) spec.serviceAccount = name;
}

/** What holds for pods themselves, but not for templates. */
export function defaultPod(pod: Mutable<core.Pod>): void {
  const { spec, status } = pod;
  if (status !== undefined) agreeOnAddresses(status);
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    requestLimits(container.resources);
  }
  defaultPodLevelResources(spec);
  spec.enableServiceLinks ??= true;
  defaultPodSpec(spec);
  if (spec.hostNetwork === true) {
    for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
      for (const port of container.ports ?? []) port.hostPort ??= port.containerPort;
    }
  }
}

/** The older field is the first of the newer ones, and wins where they do not agree. */
function agreeOnAddresses(status: Mutable<core.PodStatus>): void {
  const { podIP = '', podIPs = [] } = status;
  if (podIP === (podIPs[0]?.ip ?? '')) return;
  if (podIP === '') status.podIP = podIPs[0]!.ip ?? '';
  else status.podIPs = [{ ip: podIP }];
}

/** What is limited and not requested is requested at its limit. */
function requestLimits(resources: Mutable<core.ResourceRequirements> | undefined): void {
  const { limits, requests = {} } = resources ?? {};
  if (resources === undefined || limits === undefined) return;
  if (Object.keys(limits).some((name) => requests[name] === undefined)) resources.requests = { ...limits, ...requests };
}

const podLevelResources: ReadonlySet<string> = new Set(['cpu', 'memory']);

/** KEP-2837: a pod with limits of its own requests what its containers do together, else what it is limited to. */
function defaultPodLevelResources(spec: PodSpec): void {
  const limits = spec.resources?.limits;
  if (spec.resources === undefined || limits === undefined) return;
  const requests: Record<string, string> = { ...spec.resources.requests };
  const { resources: _, overhead: __, ...containersAlone } = spec;
  for (const [name, amount] of podRequests(containersAlone)) {
    if (podLevelResources.has(name)) requests[name] ??= quantityText(name, amount);
  }
  for (const [name, limit] of Object.entries(limits)) {
    if (podLevelResources.has(name) || name.startsWith('hugepages-')) requests[name] ??= limit;
  }
  if (Object.keys(requests).some((name) => spec.resources?.requests?.[name] === undefined))
    spec.resources.requests = requests;
}

function quantityText(name: string, amount: number): string {
  return formatQuantity(name === 'cpu' ? quantityOfMilli(amount) : quantityOf(amount, 'binary'));
}

function defaultContainer(container: Container): void {
  container.imagePullPolicy ??= isLatestImage(container.image ?? '') ? 'Always' : 'IfNotPresent';
  container.terminationMessagePath ??= '/dev/termination-log';
  container.terminationMessagePolicy ??= 'File';
  for (const port of container.ports ?? []) port.protocol ??= 'TCP';
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef !== undefined) valueFrom.fieldRef.apiVersion ??= 'v1';
    if (valueFrom?.fileKeyRef !== undefined) valueFrom.fileKeyRef.optional ??= false;
    if (valueFrom?.resourceFieldRef !== undefined) valueFrom.resourceFieldRef.divisor ??= '0';
  }
  roundResources(container.resources?.limits as ResourceList | undefined);
  roundResources(container.resources?.requests as ResourceList | undefined);
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe !== undefined) defaultProbe(probe);
  }
  for (const handler of [container.lifecycle?.postStart, container.lifecycle?.preStop]) {
    if (handler?.httpGet !== undefined) defaultHttpGet(handler.httpGet);
  }
}

function defaultProbe(probe: Mutable<core.Probe>): void {
  probe.timeoutSeconds ??= 1;
  probe.periodSeconds ??= 10;
  probe.successThreshold ??= 1;
  probe.failureThreshold ??= 3;
  if (probe.httpGet !== undefined) defaultHttpGet(probe.httpGet);
  if (probe.grpc !== undefined) probe.grpc.service ??= '';
}

function defaultHttpGet(action: Mutable<core.HTTPGetAction>): void {
  action.path ??= '/';
  action.scheme ??= 'HTTP';
}
