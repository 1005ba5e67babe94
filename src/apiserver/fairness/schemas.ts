import type {
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '#kinds/generated/types/flowcontrol_v1.ts';
import type { RequestInfo } from '../http/request-info.ts';
import type { UserInfo } from '../registry/operation.ts';
import { hashOfFlow } from './shuffle.ts';

/** A FlowSchema and what it has seen. */
export interface Schema {
  readonly object: FlowSchema;
  readonly name: string;
  readonly uid: string;
  readonly levelName: string;
  /** Requests that were let through since the start. */
  dispatched: number;
  readonly running: Occupancy;
  readonly waiting: Occupancy;
}

/** Requests that are somewhere now, and the seats they take or want. */
export class Occupancy {
  requests = 0;
  seats = 0;

  enter(seats: number): void {
    this.requests++;
    this.seats += seats;
  }

  leave(seats: number): void {
    this.requests--;
    this.seats -= seats;
  }
}

/** Requests that compete as one: those of one user, or about one namespace, under one schema. */
export interface Flow {
  readonly schema: Schema;
  readonly distinguisher: string;
  readonly hash: number;
  /** Which schema and level a request fell under, for people who tune them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Users and requests whose flow is remembered; per user. */
const maxRemembered = 1024;

/** Finds the schema of each request: the first that matches, by precedence, then by name. */
export class Schemas {
  readonly #ordered: readonly Schema[];
  readonly #remembered = new WeakMap<UserInfo, Map<string, Flow>>();

  constructor(objects: Iterable<FlowSchema>, before: Schemas | undefined) {
    const sorted = [...objects].sort(
      (a, b) =>
        (a.spec?.matchingPrecedence ?? 1000) - (b.spec?.matchingPrecedence ?? 1000) ||
        ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1),
    );
    this.#ordered = sorted.map((object) => {
      const { name = '', uid = '' } = object.metadata;
      const known = before?.named(name);
      return {
        object,
        name,
        uid,
        levelName: object.spec.priorityLevelConfiguration.name,
        dispatched: known?.dispatched ?? 0,
        running: known?.running ?? new Occupancy(),
        waiting: known?.waiting ?? new Occupancy(),
      };
    });
  }

  all(): readonly Schema[] {
    return this.#ordered;
  }

  named(name: string): Schema | undefined {
    return this.#ordered.find((schema) => schema.name === name);
  }

  /** @param levelUid of a level by its name. */
  flowOf(info: RequestInfo, user: UserInfo, levelUid: (name: string) => string): Flow | undefined {
    let flows = this.#remembered.get(user);
    if (flows === undefined) {
      flows = new Map();
      this.#remembered.set(user, flows);
    }
    const key =
      info.type === 'path'
        ? `${info.verb} ${info.path}`
        : `${info.verb} ${info.group}/${info.resource}/${info.subresource} ${info.namespace}`;
    let flow = flows.get(key);
    if (flow === undefined) {
      flow = this.#find(info, user, levelUid);
      if (flow === undefined) return undefined;
      if (flows.size >= maxRemembered) flows.clear();
      flows.set(key, flow);
    }
    return flow;
  }

  #find(info: RequestInfo, user: UserInfo, levelUid: (name: string) => string): Flow | undefined {
    const schema = this.#ordered.find(({ object }) => object.spec?.rules?.some((rule) => matches(rule, info, user)));
    if (schema === undefined) return undefined;
    const method = schema.object.spec?.distinguisherMethod?.type;
    let distinguisher = '';
    if (method === 'ByUser') distinguisher = user.name;
    else if (method === 'ByNamespace' && info.type === 'resource') distinguisher = info.namespace;
    const headers = {
      'x-kubernetes-pf-flowschema-uid': schema.uid,
      'x-kubernetes-pf-prioritylevel-uid': levelUid(schema.levelName),
    };
    return { schema, distinguisher, hash: hashOfFlow(schema.name, distinguisher), headers };
  }
}

function matches(
  { subjects, resourceRules = [], nonResourceRules = [] }: PolicyRulesWithSubjects,
  info: RequestInfo,
  user: UserInfo,
): boolean {
  if (!subjects.some((subject) => isSubject(subject, user))) return false;
  if (info.type === 'path') return nonResourceRules.some((rule) => matchesPath(rule, info.verb, info.path));
  return resourceRules.some((rule) => matchesResource(rule, info));
}

function isSubject({ kind, user: named, group, serviceAccount }: Subject, user: UserInfo): boolean {
  switch (kind) {
    case 'User':
      return named !== undefined && has([named.name], user.name);
    case 'Group':
      return group !== undefined && (group.name === '*' || user.groups.includes(group.name));
    case 'ServiceAccount': {
      if (serviceAccount === undefined) return false;
      const { namespace, name } = serviceAccount;
      if (name === '*') return user.name.startsWith(`system:serviceaccount:${namespace}:`);
      return user.name === `system:serviceaccount:${namespace}:${name}`;
    }
    default:
      return false;
  }
}

function has(values: readonly string[], value: string): boolean {
  return values.includes('*') || values.includes(value);
}

function matchesPath({ verbs, nonResourceURLs }: NonResourcePolicyRule, verb: string, path: string): boolean {
  if (!has(verbs, verb)) return false;
  return nonResourceURLs.some(
    (pattern) =>
      pattern === '*' || pattern === path || (pattern.endsWith('/*') && path.startsWith(pattern.slice(0, -1))),
  );
}

function matchesResource(
  { verbs, apiGroups, resources, namespaces = [], clusterScope }: ResourcePolicyRule,
  info: Extract<RequestInfo, { readonly type: 'resource' }>,
): boolean {
  const { verb, group, resource, subresource, namespace } = info;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  if (!has(verbs, verb) || !has(apiGroups, group) || !has(resources, full)) return false;
  return namespace === '' ? clusterScope === true : has(namespaces, namespace);
}
