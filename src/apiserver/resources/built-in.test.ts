import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RuleContext } from '#kinds/kind.ts';
import { resourceRows } from '#kinds/resources.ts';
import { rulesFor } from '#kinds/rules.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { withoutPrivileged } from './built-in.ts';
import { parseRuntimeConfig } from './runtime-config.ts';

test('of what --runtime-config says of a resource, the narrowest counts', () => {
  const isServed = parseRuntimeConfig({
    'api/all': 'false',
    'api/beta': 'true',
    v1: 'true',
    'resource.k8s.io/v1beta1': 'false',
    'apps/v1/deployments': 'true',
  });
  const served = (group: string, version: string, resource: string): boolean => isServed({ group, version, resource });
  assert.equal(served('', 'v1', 'pods'), true);
  assert.equal(served('apps', 'v1', 'deployments'), true);
  assert.equal(served('apps', 'v1', 'replicasets'), false);
  assert.equal(served('resource.k8s.io', 'v1beta2', 'resourceclaims'), true);
  assert.equal(served('resource.k8s.io', 'v1beta1', 'resourceclaims'), false);
  assert.equal(served('scheduling.k8s.io', 'v1alpha2', 'workloads'), false);
});

test('without --allow-privileged, no pod and no template may ask for privileges', () => {
  // Of the rules, the rest is of no interest here.
  const rulesOf = withoutPrivileged((row) => ({ ...rulesFor(row), validate: () => [] }));
  const container = { name: 'main', image: 'web', securityContext: { privileged: true } };
  const spec = { containers: [{ name: 'plain', image: 'web' }, container], initContainers: [container] };
  const wrong = (resource: string, object: object): readonly string[] => {
    const row = resourceRows.find((candidate) => candidate.resource === resource)!;
    const errors = rulesOf(row).validate!(object as ApiObject, {} as RuleContext);
    return errors.map(({ path, message }) => `${path}: ${message}`);
  };
  assert.deepEqual(wrong('pods', { spec }), [
    'spec.initContainers[0].securityContext.privileged: Forbidden: disallowed by cluster policy',
    'spec.containers[1].securityContext.privileged: Forbidden: disallowed by cluster policy',
  ]);
  assert.equal(wrong('cronjobs', { spec: { jobTemplate: { spec: { template: { spec } } } } }).length, 2);
  assert.deepEqual(wrong('deployments', { spec: { template: { spec: { containers: [] } } } }), []);
});
