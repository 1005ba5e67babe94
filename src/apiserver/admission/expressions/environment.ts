import {
  boolType,
  type CelEnvironment,
  type CelType,
  dynType,
  intType,
  listType,
  mapType,
  stringType,
  structType,
  timestampType,
} from '#cel/index.ts';
import { environmentWith } from '#cel/kubernetes/environment.ts';
import { authorizerType, resourceCheckType } from '#cel/kubernetes/library/authorizer.ts';
import { tableProvider } from '#cel/types/table.ts';

/** What expressions about a request may use besides the objects. */
export interface AdmissionVariables {
  readonly hasParams: boolean;
  readonly hasAuthorizer: boolean;
}

const texts = listType(stringType);
const textMap = mapType(stringType, stringType);
const groupVersionKind = structType('kubernetes.GroupVersionKind');
const groupVersionResource = structType('kubernetes.GroupVersionResource');

const types = tableProvider({
  'kubernetes.GroupVersionKind': { group: stringType, version: stringType, kind: stringType },
  'kubernetes.GroupVersionResource': { group: stringType, version: stringType, resource: stringType },
  'kubernetes.UserInfo': { username: stringType, uid: stringType, groups: texts, extra: mapType(stringType, texts) },
  'kubernetes.AdmissionRequest': {
    kind: groupVersionKind,
    resource: groupVersionResource,
    subResource: stringType,
    requestKind: groupVersionKind,
    requestResource: groupVersionResource,
    requestSubResource: stringType,
    name: stringType,
    namespace: stringType,
    operation: stringType,
    userInfo: structType('kubernetes.UserInfo'),
    dryRun: boolType,
    options: dynType,
  },
  'kubernetes.Namespace': {
    metadata: structType('kubernetes.NamespaceMetadata'),
    spec: structType('kubernetes.NamespaceSpec'),
    status: structType('kubernetes.NamespaceStatus'),
  },
  'kubernetes.NamespaceSpec': { finalizers: texts },
  'kubernetes.NamespaceStatus': {
    conditions: listType(structType('kubernetes.NamespaceCondition')),
    phase: stringType,
  },
  'kubernetes.NamespaceCondition': {
    status: stringType,
    type: stringType,
    lastTransitionTime: timestampType,
    message: stringType,
    reason: stringType,
  },
  'kubernetes.NamespaceMetadata': {
    name: stringType,
    generateName: stringType,
    namespace: stringType,
    labels: textMap,
    annotations: textMap,
    UID: stringType,
    creationTimestamp: timestampType,
    deletionGracePeriodSeconds: intType,
    deletionTimestamp: timestampType,
    generation: intType,
    resourceVersion: stringType,
    finalizers: texts,
  },
});

/** Types of the variables that every such expression has. Objects are dynamic: what they hold is found out as they are. */
const common: Readonly<Record<string, CelType>> = {
  object: dynType,
  oldObject: dynType,
  request: structType('kubernetes.AdmissionRequest'),
  namespaceObject: structType('kubernetes.Namespace'),
};

const known = new Map<string, CelEnvironment>();

/** The environment of expressions in webhooks and policies; `variables` of policies come on top of it. */
export function admissionEnvironment({ hasParams, hasAuthorizer }: AdmissionVariables): CelEnvironment {
  const key = `${hasParams} ${hasAuthorizer}`;
  let environment = known.get(key);
  if (environment === undefined) {
    environment = environmentWith({
      types: [types],
      variables: {
        ...common,
        ...(hasParams ? { params: dynType } : {}),
        ...(hasAuthorizer ? { authorizer: authorizerType, 'authorizer.requestResource': resourceCheckType } : {}),
      },
    });
    known.set(key, environment);
  }
  return environment;
}
