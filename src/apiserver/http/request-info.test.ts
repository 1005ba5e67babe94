import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestInfo } from './request-info.ts';

const none = new URLSearchParams();

test('a path names its resource, its namespace and what is asked of it', () => {
  const info = requestInfo('GET', '/apis/apps/v1/namespaces/shop/deployments/web/scale', none);
  assert.deepEqual(info, {
    type: 'resource',
    verb: 'get',
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
    subresource: 'scale',
    namespace: 'shop',
    name: 'web',
    rest: '',
  });
});

test('what follows a proxy keeps its slashes, whatever the namespace is called', () => {
  const rest = (path: string) => {
    const info = requestInfo('GET', path, none);
    return info.type === 'resource' ? info.rest : undefined;
  };
  assert.equal(rest('/api/v1/namespaces/proxy-1/pods/web/proxy'), '');
  assert.equal(rest('/api/v1/namespaces/proxy-1/pods/web/proxy/'), '/');
  assert.equal(rest('/api/v1/namespaces/proxy-1/services/https:web:443/proxy/a//b/'), '/a//b/');
  assert.equal(rest('/api/v1/nodes/n1/proxy/stats/summary'), '/stats/summary');
});

test('a namespace and its own subresources are not resources in it', () => {
  const of = (path: string) => {
    const info = requestInfo('PUT', path, none);
    return info.type === 'resource' ? [info.resource, info.name, info.subresource, info.namespace] : undefined;
  };
  assert.deepEqual(of('/api/v1/namespaces/shop'), ['namespaces', 'shop', '', '']);
  assert.deepEqual(of('/api/v1/namespaces/shop/finalize'), ['namespaces', 'shop', 'finalize', '']);
  assert.deepEqual(of('/api/v1/namespaces/shop/pods/a'), ['pods', 'a', '', 'shop']);
});

test('the older watch paths and a field selector for one name are understood', () => {
  const query = new URLSearchParams('fieldSelector=metadata.name%3Dweb');
  const info = requestInfo('GET', '/api/v1/watch/namespaces/shop/pods', query);
  assert.ok(info.type === 'resource');
  assert.deepEqual([info.verb, info.namespace, info.name], ['watch', 'shop', 'web']);
});
