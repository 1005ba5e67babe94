import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inStructOrder } from './typed-json.ts';

test('fields stand as Go’s types declare them, keys of maps sorted', () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { labels: { b: '2', a: '1' }, name: 'p' },
    spec: { restartPolicy: 'Never', containers: [{ env: [], envFrom: [], name: 'c', ports: [], image: 'i' }] },
  };
  assert.equal(
    JSON.stringify(inStructOrder(pod)),
    '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","labels":{"a":"1","b":"2"}},"spec":{"containers":[{"name":"c","image":"i","ports":[],"envFrom":[],"env":[]}],"restartPolicy":"Never"}}',
  );
});

test('items of a list are ordered as their kind, other kinds stay as they are', () => {
  const list = { apiVersion: 'v1', items: [{ data: {}, metadata: {} }], kind: 'ConfigMapList', metadata: {} };
  assert.equal(
    JSON.stringify(inStructOrder(list)),
    '{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[{"metadata":{},"data":{}}]}',
  );
  const custom = { spec: {}, apiVersion: 'example.com/v1', kind: 'Thing' };
  assert.equal(inStructOrder(custom), custom);
});
