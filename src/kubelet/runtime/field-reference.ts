import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';
import { quantity } from '#machinery/quantity.ts';

/** What the downward API may look at besides the pod's own object. */
export interface DownwardFacts {
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  /** Stands in for absent limits. */
  readonly allocatable: Readonly<Record<string, string>>;
}

/** The value of a `fieldRef`. Throws when the path names nothing that can be referred to. */
export function fieldValue(pod: Pod, fieldPath: string, facts: DownwardFacts): string {
  const subscript = /^metadata\.(annotations|labels)\['(.+)'\]$/.exec(fieldPath);
  if (subscript !== null) return pod.metadata[subscript[1] as 'annotations' | 'labels']?.[subscript[2]!] ?? '';
  switch (fieldPath) {
    case 'metadata.name':
      return pod.metadata.name ?? '';
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid ?? '';
    case 'metadata.labels':
      return formatMap(pod.metadata.labels);
    case 'metadata.annotations':
      return formatMap(pod.metadata.annotations);
    case 'spec.nodeName':
      return pod.spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? '';
    case 'status.hostIP':
      return facts.hostIps[0] ?? '';
    case 'status.hostIPs':
      return facts.hostIps.join(',');
    case 'status.podIP':
      return facts.podIps[0] ?? '';
    case 'status.podIPs':
      return facts.podIps.join(',');
    default:
      throw new Error(`unsupported fieldPath: ${fieldPath}`);
  }
}

/** A map as the downward API writes it into a file: sorted lines of `key="value"`. */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

/** The value of a `resourceFieldRef`: the amount divided by the divisor, rounded up. */
export function resourceValue(
  container: Container,
  reference: { readonly resource: string; readonly divisor?: string },
  facts: DownwardFacts,
): string {
  const [which, ...rest] = reference.resource.split('.');
  const name = rest.join('.');
  const resources = container.resources;
  const text =
    which === 'limits'
      ? (resources?.limits?.[name] ?? facts.allocatable[name])
      : (resources?.requests?.[name] ?? resources?.limits?.[name]);
  const divisor = quantity(reference.divisor === undefined || reference.divisor === '0' ? '1' : reference.divisor);
  const amount = text === undefined ? 0n : quantity(text).nanos;
  return String((amount + divisor.nanos - 1n) / divisor.nanos);
}
