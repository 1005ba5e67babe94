import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { accessOf } from './access.ts';
import { startHttpCluster } from './http-cluster.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

test('a server that ends ends its watches, answers what is under way, and waits for no terminal', async () => {
  const cluster = await startHttpCluster({ nodes: 0 });
  const access = accessOf(cluster.kubeconfig);
  const { host, port, ca, cert, key } = access;
  const place = { host, port, ca, cert, key };

  const watch = request({ ...place, path: `${configMaps}?watch=true` });
  watch.end();
  const [watched] = (await once(watch, 'response')) as [NodeJS.ReadableStream & { readonly complete: boolean }];
  const events = text(watched);

  const session = connectHttp2(`https://${host}:${port}`, { ca, cert, key });
  const stream = session.request({ ':path': `${configMaps}?watch=true` });
  await once(stream, 'response');
  const more = text(stream);

  const body = JSON.stringify({ metadata: { name: 'late' } });
  const create = request({
    ...place,
    method: 'POST',
    path: configMaps,
    headers: { 'content-type': 'application/json', 'content-length': body.length },
  });
  create.write(body.slice(0, 5));

  // Somebody who changed protocols, and says nothing.
  const terminal = connect({ ...place, ALPNProtocols: ['http/1.1'] });
  await once(terminal, 'secureConnect');
  const path = '/api/v1/namespaces/default/pods/none/exec?command=sh&stdout=true';
  terminal.write(`POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: SPDY/3.1\r\n\r\n`);
  terminal.once('error', () => {});
  terminal.resume();
  await once(terminal, 'data');

  const stopped = cluster.stop();
  assert.match(await events, /kube-root-ca.crt/);
  assert.equal(watched.complete, true);
  await more;
  assert.equal(stream.rstCode, 0);
  create.end(body.slice(5));
  const [created] = (await once(create, 'response')) as [{ readonly statusCode: number; resume(): void }];
  created.resume();
  assert.equal(created.statusCode, 201);
  await stopped;
  session.close();
});
