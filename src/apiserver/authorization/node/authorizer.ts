import type { PolicyRule } from '#kinds/generated/types/rbac_v1.ts';
import { exactField } from '#machinery/fields.ts';
import { gatedNodeRules } from '../../bootstrap/gated.ts';
import bootstrap from '../../bootstrap/objects.json' with { type: 'json' };
import { type AccessAttributes, type Authorizer, abstain, allowed, type Decision, noOpinion } from '../authorizer.ts';
import { ruleAllows } from '../rules.ts';
import type { NodeGraph } from './graph.ts';

/** What node agents may do besides what their pods need: the rules that the role `system:node` has at first. */
const nodeRules: readonly PolicyRule[] =
  bootstrap.clusterroles.find(({ metadata }) => metadata.name === 'system:node')?.rules ?? [];

/** The node that a user is, when it is one: `system:node:NAME` in the group `system:nodes`. */
export function nodeNameOf({ name, groups }: AccessAttributes['user']): string | undefined {
  const prefix = 'system:node:';
  return groups.includes('system:nodes') && name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
}

/** Lets node agents at their own objects and at what the pods bound to them need, and at nothing else. */
export function nodeAuthorizer(graph: NodeGraph, featureEnabled: (gate: string) => boolean): Authorizer {
  const rules = [...nodeRules, ...gatedNodeRules(featureEnabled)];
  return {
    authorize(attributes) {
      const node = nodeNameOf(attributes.user);
      if (node === undefined) return noOpinion;
      if (node === '') return abstain(`unknown node for user ${JSON.stringify(attributes.user.name)}`);
      const question = { graph, node, attributes, rules };
      const filled = graph.filled();
      return filled === undefined ? decide(question) : filled.then(() => decide(question));
    },
    rulesFor: (user) =>
      nodeNameOf(user) === undefined
        ? { rules: [] }
        : { rules: [], gap: 'node authorizer does not support user rule resolution' },
  };
}

function decide(question: Question): Decision {
  const { attributes, rules } = question;
  const check = checks[`${attributes.group}/${attributes.resource}`];
  return check?.(question) ?? (rules.some((rule) => ruleAllows(rule, attributes)) ? allowed : noOpinion);
}

interface Question {
  readonly graph: NodeGraph;
  readonly node: string;
  readonly attributes: AccessAttributes;
  readonly rules: readonly PolicyRule[];
}

/** By `group/resource`; undefined leaves the answer to the rules. */
const checks: Readonly<Record<string, (question: Question) => Decision | undefined>> = {
  '/secrets': (question) => readReferenced(question, 'secrets'),
  '/configmaps': (question) => readReferenced(question, 'configmaps'),
  '/persistentvolumeclaims': claims,
  '/persistentvolumes': (question) =>
    getOne(question, ({ graph, node, attributes }) => graph.reachesVolume(node, attributes.name)),
  'resource.k8s.io/resourceclaims': (question) =>
    getOne(question, ({ graph, node, attributes: { namespace, name } }) =>
      graph.reaches(node, 'resourceclaims', namespace, name),
    ),
  'storage.k8s.io/volumeattachments': (question) =>
    getOne(question, ({ graph, node, attributes }) => graph.reachesAttachment(node, attributes.name)),
  '/serviceaccounts': serviceAccounts,
  'coordination.k8s.io/leases': leases,
  'storage.k8s.io/csinodes': csiNodes,
  'resource.k8s.io/resourceslices': slices,
  '/nodes': nodes,
  '/pods': pods,
  'certificates.k8s.io/podcertificaterequests': podCertificateRequests,
};

function unrelated({ node }: Question): Decision {
  return abstain(`no relationship found between node '${node}' and this object`);
}

function related(question: Question, isRelated: boolean): Decision {
  if (question.attributes.name === '') return abstain('No Object name found');
  return isRelated ? allowed : unrelated(question);
}

function getOne(question: Question, isRelated: (question: Question) => boolean): Decision {
  const { verb, subresource } = question.attributes;
  if (verb !== 'get') return abstain('can only get individual resources of this type');
  if (subresource !== '') return abstain('cannot get subresource');
  return related(question, isRelated(question));
}

function readReferenced(question: Question, kind: 'secrets' | 'configmaps'): Decision {
  const { graph, node, attributes } = question;
  const { verb, subresource, namespace, name } = attributes;
  if (verb !== 'get' && verb !== 'list' && verb !== 'watch') return abstain('can only read resources of this type');
  if (subresource !== '') return abstain('cannot read subresource');
  if (namespace === '') return abstain('can only read namespaced object of this type');
  return related(question, graph.reaches(node, kind, namespace, name));
}

function claims(question: Question): Decision {
  const { graph, node, attributes } = question;
  const { verb, subresource, namespace, name } = attributes;
  const reaches = (): boolean => graph.reaches(node, 'persistentvolumeclaims', namespace, name);
  if (subresource !== 'status') return getOne(question, reaches);
  // What upstream says is not quite what it does.
  if (verb !== 'update' && verb !== 'patch') return abstain('can only get/update/patch this type');
  return related(question, reaches());
}

function serviceAccounts(question: Question): Decision {
  const { graph, node, attributes } = question;
  const { verb, subresource, namespace, name } = attributes;
  const reaches = (): boolean => graph.reaches(node, 'serviceaccounts', namespace, name);
  if (verb === 'get' && subresource === '') return getOne(question, reaches);
  if (verb !== 'create' || name === '') return abstain('can only create tokens for individual service accounts');
  if (subresource !== 'token') return abstain('can only create token subresource of serviceaccount');
  return reaches() ? allowed : unrelated(question);
}

const ownObjectVerbs = new Set(['get', 'create', 'update', 'patch', 'delete']);

function leases({ node, attributes: { verb, namespace, name } }: Question): Decision {
  if (!ownObjectVerbs.has(verb)) return abstain('can only get, create, update, patch, or delete a node lease');
  if (namespace !== 'kube-node-lease')
    return abstain('can only access leases in the "kube-node-lease" system namespace');
  // The name of what is created stands in the body; admission checks it.
  if (verb !== 'create' && name !== node)
    return abstain('can only access node lease with the same name as the requesting node');
  return allowed;
}

function csiNodes({ node, attributes: { verb, subresource, name } }: Question): Decision {
  if (!ownObjectVerbs.has(verb)) return abstain('can only get, create, update, patch, or delete a CSINode');
  if (subresource !== '') return abstain('cannot authorize CSINode subresources');
  if (verb !== 'create' && name !== node)
    return abstain('can only access CSINode with the same name as the requesting node');
  return allowed;
}

function slices(question: Question): Decision {
  const { graph, node, attributes } = question;
  const { verb, subresource, name } = attributes;
  if (subresource !== '') return abstain('cannot authorize ResourceSlice subresources');
  switch (verb) {
    case 'create':
      return allowed;
    case 'get':
    case 'update':
    case 'patch':
    case 'delete':
      return related(question, graph.reachesSlice(node, name));
    case 'list':
    case 'watch':
    case 'deletecollection':
      if (isSelected(question, 'spec.nodeName')) return allowed;
      return abstain('can only list/watch/deletecollection resourceslices with nodeName field selector');
    default:
      return abstain(
        'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
      );
  }
}

function nodes(question: Question): Decision | undefined {
  const { node, attributes } = question;
  const { verb, subresource, name } = attributes;
  if (subresource !== '') return undefined;
  switch (verb) {
    case 'get':
    case 'list':
    case 'watch': {
      if (name === node) return allowed;
      const what = name === '' ? 'all nodes' : `'${name}'`;
      return abstain(`node '${node}' cannot read ${what}, only its own Node object`);
    }
    default:
      return undefined;
  }
}

function pods(question: Question): Decision | undefined {
  const { graph, node, attributes } = question;
  const { verb, subresource, namespace, name } = attributes;
  if (subresource !== '') return undefined;
  switch (verb) {
    case 'get':
      return related(question, graph.reachesPod(node, namespace, name));
    case 'list':
    case 'watch':
      if (isSelected(question, 'spec.nodeName')) return allowed;
      if (name !== '') return related(question, graph.reachesPod(node, namespace, name));
      return abstain('can only list/watch pods with spec.nodeName field selector');
    default:
      return undefined;
  }
}

function podCertificateRequests(question: Question): Decision {
  const { verb, subresource } = question.attributes;
  if (subresource !== '') return abstain('nodes may not access the /status subresource of PodCertificateRequests');
  switch (verb) {
    case 'create':
    case 'get':
      return allowed;
    case 'list':
    case 'watch':
      if (isSelected(question, 'spec.nodeName')) return allowed;
      return abstain('can only list/watch podcertificaterequests with nodeName field selector');
    default:
      return abstain('can only get, list, watch, and create PodCertificateRequests');
  }
}

function isSelected({ node, attributes }: Question, field: string): boolean {
  return attributes.fieldSelector !== undefined && exactField(attributes.fieldSelector, field) === node;
}
