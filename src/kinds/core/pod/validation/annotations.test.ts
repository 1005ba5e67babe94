import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodSpec } from '#kinds/generated/types/core_v1.ts';
import type { FieldError } from '#machinery/errors.ts';
import { validateAnnotationsChange, validateConfinement, validatePodAnnotations } from './annotations.ts';

const seccomp = 'container.seccomp.security.alpha.kubernetes.io/main';
const appArmor = 'container.apparmor.security.beta.kubernetes.io/main';

function told(errors: readonly FieldError[]): string {
  return errors.map(({ path, message }) => `${path}: ${message}`).join('\n');
}

function podWith(securityContext: object, ofPod: object = {}): PodSpec {
  return { containers: [{ name: 'main', image: 'i', securityContext }], securityContext: ofPod } as PodSpec;
}

test('what a deprecated annotation says of confinement is what the fields say', () => {
  const check = (annotations: Record<string, string>, spec: PodSpec) =>
    told(validateConfinement(annotations, spec, 'spec'));
  const own = { seccompProfile: { type: 'RuntimeDefault' } };
  assert.equal(check({ [seccomp]: 'docker/default' }, podWith(own)), '');
  const at = 'spec.containers[0].securityContext';
  const differs = `${at}.seccompProfile.type: Forbidden: seccomp type in annotation and field must match`;
  assert.equal(check({ [seccomp]: 'unconfined' }, podWith(own)), differs);
  const local = { appArmorProfile: { type: 'Localhost', localhostProfile: 'tight' } };
  assert.equal(check({ [appArmor]: 'localhost/tight' }, podWith({}, local)), '');
  const otherProfile = `${at}.appArmorProfile.localhostProfile: Forbidden: apparmor profile in annotation and field must match`;
  assert.equal(check({ [appArmor]: 'localhost/loose' }, podWith({}, local)), otherProfile);
  assert.equal(check({ [appArmor]: 'localhost/loose' }, { ...podWith({}, local), os: { name: 'windows' } }), '');
  // A field that is not set is for the annotation to fill in.
  assert.equal(check({ [appArmor]: 'unconfined', [seccomp]: 'unconfined' }, podWith({})), '');
});

test('annotations that mean something to pods are validated where they stand', () => {
  const check = (annotations: Record<string, string>) => told(validatePodAnnotations(annotations, podWith({}), 'at'));
  assert.equal(check({ [seccomp]: 'localhost/a/b', [appArmor]: 'runtime/default', other: 'nonsense' }), '');
  assert.equal(
    check({ [seccomp]: 'nonsense' }),
    `at.${seccomp}: Invalid value: "nonsense": must be a valid seccomp profile`,
  );
  assert.match(check({ [seccomp]: 'localhost/../up' }), /must not contain '\.\.'/);
  assert.equal(
    check({ [`${appArmor}-2`]: 'unconfined' }),
    `at[${appArmor}-2]: Invalid value: "main-2": container not found`,
  );
  const cost = 'controller.kubernetes.io/pod-deletion-cost';
  for (const good of ['0', '-100', '2147483647']) assert.equal(check({ [cost]: good }), '');
  for (const bad of ['', '1.5', '+1', '01', '2147483648'])
    assert.equal(check({ [cost]: bad }), `at[${cost}]: Invalid value: ${JSON.stringify(bad)}: must be a 32bit integer`);
  assert.match(check({ 'kubernetes.io/config.mirror': 'x' }), /must set spec\.nodeName/);
});

test('a pod does not change what it is confined by, nor where it comes from', () => {
  const change = (now: Record<string, string>, old: Record<string, string>) =>
    told(validateAnnotationsChange(now, old, 'at'));
  assert.equal(change({ [appArmor]: 'unconfined', a: '2' }, { [appArmor]: 'unconfined', a: '1' }), '');
  assert.equal(
    change({}, { [appArmor]: 'x' }),
    `at[${appArmor}]: Forbidden: may not remove or update AppArmor annotations`,
  );
  const mirror = 'kubernetes.io/config.mirror';
  assert.equal(change({ [mirror]: 'x' }, {}), `at[${mirror}]: Forbidden: may not add mirror pod annotation`);
});
