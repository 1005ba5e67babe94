import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Client } from '#client/client.ts';
import {
  ConfigMap,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  ServiceAccount,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '#kinds/generated/handles.ts';
import type * as admission from '#kinds/generated/types/admissionregistration_v1.ts';
import { ApiError } from '#machinery/errors.ts';
import { startApiServer } from '#testing/cluster.ts';

const namespace = 'default';
const configMaps = {
  resourceRules: [
    { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] },
  ],
};

async function clientOf(t: TestContext): Promise<Client> {
  const api = await startApiServer();
  t.after(() => api.stop());
  await api.client.create(ServiceAccount, { metadata: { name: 'default', namespace } });
  return api.client;
}

async function validating(
  client: Client,
  spec: Partial<admission.ValidatingAdmissionPolicySpec>,
  binding: Partial<admission.ValidatingAdmissionPolicyBindingSpec> = {},
): Promise<void> {
  await client.create(ValidatingAdmissionPolicy, {
    metadata: { name: 'p' },
    spec: { matchConstraints: configMaps, ...spec },
  });
  await client.create(ValidatingAdmissionPolicyBinding, {
    metadata: { name: 'b' },
    spec: { policyName: 'p', validationActions: ['Deny'], ...binding },
  });
}

async function mutating(client: Client, name: string, mutations: readonly admission.Mutation[]): Promise<void> {
  await client.create(MutatingAdmissionPolicy, {
    metadata: { name },
    spec: { matchConstraints: configMaps, reinvocationPolicy: 'IfNeeded', mutations },
  });
  await client.create(MutatingAdmissionPolicyBinding, { metadata: { name }, spec: { policyName: name } });
}

const configMap = (name: string, data: Readonly<Record<string, string>> = {}) => ({
  metadata: { name, namespace },
  data,
});

const refusal =
  (code: number, message: string) =>
  (error: unknown): boolean =>
    error instanceof ApiError && error.code === code && error.message === message;

test('a validating policy refuses what its validations do not hold for, in the words of its message', async (t) => {
  const client = await clientOf(t);
  await validating(client, {
    variables: [{ name: 'count', expression: 'object.data.size()' }],
    validations: [
      { expression: 'variables.count < 2', messageExpression: "'too many: ' + string(variables.count)" },
      { expression: "object.metadata.name != 'bad'", reason: 'Forbidden' },
    ],
  });
  await client.create(ConfigMap, configMap('good', { a: 'b' }));
  const denied = (name: string, why: string): string =>
    `configmaps "${name}" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ${why}`;
  await assert.rejects(
    client.create(ConfigMap, configMap('many', { a: 'b', c: 'd' })),
    refusal(422, denied('many', 'too many: 2')),
  );
  await assert.rejects(
    client.create(ConfigMap, configMap('bad', { a: 'b' })),
    refusal(403, denied('bad', "failed expression: object.metadata.name != 'bad'")),
  );
});

test('params are looked up for each request, and may be many', async (t) => {
  const client = await clientOf(t);
  await validating(
    client,
    {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      matchConditions: [{ name: 'not-a-param', expression: '!has(object.metadata.labels)' }],
      validations: [{ expression: 'object.data.size() <= int(params.data.max)' }],
    },
    { paramRef: { selector: { matchLabels: { limits: 'yes' } }, parameterNotFoundAction: 'Deny' } },
  );
  const missing = /no params found for policy binding with `Deny` parameterNotFoundAction/;
  await assert.rejects(client.create(ConfigMap, configMap('a')), missing);
  for (const max of ['1', '3']) {
    const { metadata, data } = configMap(`limit-${max}`, { max });
    await client
      .create(ConfigMap, { metadata: { ...metadata, labels: { limits: 'yes' } }, data })
      .catch((error: unknown) => assert.match(String(error), missing));
  }
  await client.delete(ValidatingAdmissionPolicyBinding, { name: 'b' });
  for (const max of ['1', '3']) {
    const { metadata, data } = configMap(`limit-${max}`, { max });
    await client.create(ConfigMap, { metadata: { ...metadata, labels: { limits: 'yes' } }, data });
  }
  await client.create(ValidatingAdmissionPolicyBinding, {
    metadata: { name: 'b' },
    spec: {
      policyName: 'p',
      validationActions: ['Deny'],
      paramRef: { selector: { matchLabels: { limits: 'yes' } }, parameterNotFoundAction: 'Deny' },
    },
  });
  await client.create(ConfigMap, configMap('one', { a: '' }));
  await assert.rejects(client.create(ConfigMap, configMap('two', { a: '', b: '' })), /failed expression/);
});

test('a policy that may fail lets pass what it cannot judge', async (t) => {
  const client = await clientOf(t);
  await validating(client, { failurePolicy: 'Ignore', validations: [{ expression: "object.data.nope == 'a'" }] });
  await client.create(ConfigMap, configMap('a'));
});

test('expressions may ask what the user may do', async (t) => {
  const client = await clientOf(t);
  await validating(client, {
    validations: [
      { expression: "authorizer.group('').resource('secrets').namespace('default').check('get').allowed()" },
    ],
  });
  await client.create(ConfigMap, configMap('a'));
  const nobody = client.as({ user: 'nobody', groups: ['system:masters-not'] });
  await assert.rejects(nobody.create(ConfigMap, configMap('b')), /forbidden/);
});

test('mutating policies see what the others changed, once more where they ask for it', async (t) => {
  const client = await clientOf(t);
  await mutating(client, 'a-merge', [
    {
      patchType: 'ApplyConfiguration',
      applyConfiguration: {
        expression: "Object{metadata: Object.metadata{labels: {'count': string(object.data.size())}}}",
      },
    },
  ]);
  await mutating(client, 'b-patch', [
    {
      patchType: 'JSONPatch',
      jsonPatch: {
        expression:
          "has(object.data.added) ? [] : [JSONPatch{op: 'add', path: '/data/' + jsonpatch.escapeKey('added'), value: 'x'}]",
      },
    },
  ]);
  const made = await client.create(ConfigMap, configMap('a', { own: 'y' }));
  assert.deepEqual(made.data, { own: 'y', added: 'x' });
  assert.deepEqual(made.metadata.labels, { count: '2' });
});

test('what a policy gets wrong about a kind is told in its status', async (t) => {
  const client = await clientOf(t);
  await validating(client, { validations: [{ expression: "object.data.a == 'b' && object.dta.size() > 0" }] });
  for (let turns = 0; turns < 50; turns++) await Promise.resolve();
  const policy = await client.get(ValidatingAdmissionPolicy, { name: 'p' });
  assert.deepEqual(
    policy.status?.typeChecking?.expressionWarnings?.map(({ fieldRef }) => fieldRef),
    ['spec.validations[0].expression'],
  );
  assert.match(
    policy.status?.typeChecking?.expressionWarnings?.[0]?.warning ?? '',
    /^v1, Kind=ConfigMap: ERROR: <input>:1:\d+: undefined field 'dta'\n/,
  );
});
