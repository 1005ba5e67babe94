import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schemaNamed } from '#kinds/schemas.ts';
import { DecodeError, decodeJson, encodeJson, stringifyJson } from './json.ts';

const encoder = new TextEncoder();
const decode = (text: string, type: string) =>
  decodeJson(encoder.encode(text), schemaNamed(type), { findDuplicates: true });
const failure = (text: string, type: string): string => {
  try {
    decode(text, type);
  } catch (error) {
    assert.ok(error instanceof DecodeError, String(error));
    return error.message;
  }
  return 'decoded';
};

test('whole numbers beyond 2^53 survive decoding and encoding', () => {
  const text = '{"metadata":{"generation":9007199254740993,"name":"a1234567890123456789"}}';
  const { value } = decode(text, 'core.v1.ConfigMap');
  assert.equal((value as { metadata: { generation: bigint } }).metadata.generation, 9007199254740993n);
  assert.equal(new TextDecoder().decode(encodeJson(value)), text);
});

test('unknown and duplicate fields are reported with their paths in the order of the text, and dropped', () => {
  const text =
    '{"metadata":{},"spec":{"containers":[{"name":"a","imag":"b"}],"nodeName":"a","nodeName":"b","foo":{"x":1,"x":2}}}';
  const { value, odd } = decode(text, 'core.v1.Pod');
  assert.deepEqual(odd, [
    { what: 'unknown', path: 'spec.containers[0].imag' },
    { what: 'duplicate', path: 'spec.nodeName' },
    { what: 'unknown', path: 'spec.foo' },
  ]);
  const { spec } = value as { spec: object };
  assert.deepEqual(spec, { containers: [{ name: 'a', resources: {} }], nodeName: 'b' });
});

test('keys like __proto__ are data', () => {
  const { value } = decode('{"metadata":{},"data":{"__proto__":"a","constructor":null}}', 'core.v1.ConfigMap');
  assert.equal(stringifyJson((value as { data: object }).data), '{"__proto__":"a","constructor":""}');
});

test('null, empty and zero become what Go makes of them', () => {
  const text =
    '{"metadata":{"labels":{},"creationTimestamp":null},"spec":{"replicas":0,"paused":false,"selector":{"matchLabels":null},"template":{}}}';
  const { value } = decode(text, 'apps.v1.Deployment');
  assert.deepEqual(value, {
    metadata: {},
    spec: { replicas: 0, selector: {}, strategy: {}, template: { metadata: {}, spec: {} } },
    status: {},
  });
});

test('wrong types fail as in Go', () => {
  assert.equal(
    failure('{"spec":{"replicas":"3"}}', 'apps.v1.Deployment'),
    'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  );
  assert.equal(
    failure('{"spec":{"replicas":1.5}}', 'apps.v1.Deployment'),
    'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
  );
  assert.equal(
    failure('{"spec":{"containers":{}}}', 'core.v1.Pod'),
    'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
  );
  assert.equal(failure('[]', 'core.v1.Pod'), 'json: cannot unmarshal array into Go value of type v1.Pod');
  assert.equal(
    failure('{"metadata":{"creationTimestamp":"yesterday"}}', 'core.v1.Pod'),
    'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
  );
});

test('broken text fails as in Go', () => {
  assert.equal(failure('{"a":1', 'core.v1.Pod'), 'unexpected end of JSON input');
  assert.equal(failure('{a:1}', 'core.v1.Pod'), "invalid character 'a' looking for beginning of object key string");
  assert.equal(failure('{"a":1}}', 'core.v1.Pod'), "invalid character '}' after top-level value");
});

test('quantities and times are canonical', () => {
  const { value } = decode(
    '{"metadata":{"creationTimestamp":"2026-01-01T02:00:00.5+02:00"},"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":0.5,"memory":"1.5Gi"}}}]}}',
    'core.v1.Pod',
  );
  const pod = value as { metadata: object; spec: { containers: { resources: object }[] } };
  assert.deepEqual(pod.metadata, { creationTimestamp: '2026-01-01T00:00:00Z' });
  assert.deepEqual(pod.spec.containers[0]!.resources, { limits: { cpu: '500m', memory: '1536Mi' } });
});
