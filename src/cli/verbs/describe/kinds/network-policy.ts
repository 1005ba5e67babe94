import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '#kinds/generated/types/networking_v1.ts';
import type { DescribeOptions } from '../related.ts';
import { labelSelectorText, type Sheet } from '../sheet.ts';

export async function describeNetworkPolicy(
  sheet: Sheet,
  policy: NetworkPolicy,
  _options: DescribeOptions,
): Promise<void> {
  const { metadata, spec } = policy;
  sheet.field('Name', metadata.name ?? '');
  sheet.field('Namespace', metadata.namespace ?? '');
  sheet.field('Created on', (metadata.creationTimestamp ?? '').replace('T', ' ').replace('Z', ' +0000 UTC'));
  sheet.labels('Labels', metadata.labels);
  sheet.annotations(metadata.annotations);
  sheet.line(0, 'Spec:');
  const selector = labelSelectorText(spec?.podSelector);
  const isEveryPod = selector === '<none>' || selector === '<unset>';
  sheet.line(
    1,
    `PodSelector:     ${isEveryPod ? '<none> (Allowing the specific traffic to all pods in this namespace)' : selector}`,
  );
  const types = spec?.policyTypes ?? [];
  if (types.includes('Ingress')) {
    const rules = (spec?.ingress ?? []).map(({ ports, from }) => ({ ports, peers: from }));
    describeRules(sheet, 'ingress', 'From', rules);
  } else sheet.line(1, 'Not affecting ingress traffic');
  if (types.includes('Egress')) {
    const rules = (spec?.egress ?? []).map(({ ports, to }) => ({ ports, peers: to }));
    describeRules(sheet, 'egress', 'To', rules);
  } else sheet.line(1, 'Not affecting egress traffic');
  sheet.line(1, `Policy Types: ${types.join(', ')}`);
}

interface Rule {
  readonly ports: readonly NetworkPolicyPort[] | undefined;
  readonly peers: readonly NetworkPolicyPeer[] | undefined;
}

function describeRules(
  sheet: Sheet,
  direction: 'ingress' | 'egress',
  word: 'From' | 'To',
  rules: readonly Rule[],
): void {
  sheet.line(1, `Allowing ${direction} traffic:`);
  if (rules.length === 0) sheet.line(2, `<none> (Selected pods are isolated for ${direction} connectivity)`);
  rules.forEach(({ ports = [], peers = [] }, index) => {
    if (ports.length === 0) sheet.line(2, 'To Port: <any> (traffic allowed to all ports)');
    for (const { port, endPort, protocol = 'TCP' } of ports) {
      const range = endPort === undefined ? '' : `-${endPort}`;
      sheet.line(2, `To Port: ${port === undefined ? '<any>' : port}${range}/${protocol}`);
    }
    if (peers.length === 0)
      sheet.line(2, `${word}: <any> (traffic not restricted by ${word === 'From' ? 'source' : 'destination'})`);
    for (const peer of peers) describePeer(sheet, word, peer);
    if (index < rules.length - 1) sheet.line(2, '----------');
  });
}

function describePeer(
  sheet: Sheet,
  word: string,
  { namespaceSelector, podSelector, ipBlock }: NetworkPolicyPeer,
): void {
  sheet.line(2, `${word}:`);
  if (namespaceSelector !== undefined) sheet.line(3, `NamespaceSelector: ${labelSelectorText(namespaceSelector)}`);
  if (podSelector !== undefined) sheet.line(3, `PodSelector: ${labelSelectorText(podSelector)}`);
  if (ipBlock === undefined) return;
  sheet.line(3, 'IPBlock:');
  sheet.line(4, `CIDR: ${ipBlock.cidr}`);
  sheet.line(4, `Except: ${(ipBlock.except ?? []).join(', ')}`);
}
