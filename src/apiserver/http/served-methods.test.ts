import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApiServer } from '#testing/cluster.ts';
import { requestInfo } from './request-info.ts';
import { unservedReason } from './served-methods.ts';

test('each place takes the methods that it has a route for', async () => {
  const { server, stop } = await startApiServer();
  const pods = '/api/v1/namespaces/default/pods';
  const wanted: readonly (readonly [method: string, path: string, code: number | undefined])[] = [
    ['POST', pods, undefined],
    ['HEAD', pods, undefined],
    ['BREW', pods, 405],
    ['BREW', `${pods}/a`, 405],
    ['OPTIONS', `${pods}/a`, 405],
    ['OPTIONS', `${pods}/a/proxy/b`, undefined],
    ['PUT', pods, 405],
    ['PATCH', pods, 405],
    ['DELETE', pods, undefined],
    ['DELETE', '/api/v1/namespaces', 405],
    ['POST', `${pods}/a`, 405],
    ['DELETE', `${pods}/a`, undefined],
    ['GET', `${pods}/a/status`, undefined],
    ['POST', `${pods}/a/status`, 405],
    ['DELETE', `${pods}/a/status`, 405],
    ['GET', `${pods}/a/nonsense`, 404],
    ['GET', `${pods}/a/exec`, undefined],
    ['POST', `${pods}/a/exec`, undefined],
    ['GET', `${pods}/a/eviction`, 405],
    ['DELETE', `${pods}/a/proxy/b/c`, undefined],
    ['PUT', '/api/v1/namespaces/default/configmaps/a/status', 404],
    ['POST', '/api/v1/pods', 405],
    ['GET', '/api/v1/pods', undefined],
    ['GET', '/api/v1/pods/a', 404],
    ['GET', '/api/v1/namespaces/default/nodes', 404],
    ['GET', '/api/v1/namespaces/default', undefined],
    ['PUT', '/api/v1/namespaces/default/finalize', undefined],
    ['POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', undefined],
    ['GET', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', 405],
    ['PUT', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews/a', 404],
  ];
  for (const [method, path, code] of wanted) {
    const info = requestInfo(method, path, new URLSearchParams());
    assert.ok(info.type === 'resource');
    const resource = server.resources.get(info.group, info.version, info.resource)!;
    assert.equal(unservedReason(info, resource, method)?.status.code, code, `${method} ${path}`);
  }
  await stop();
});
