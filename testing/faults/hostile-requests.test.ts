import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { createLog } from '#base/log.ts';
import { loadKubeconfig } from '#client/http/kubeconfig.ts';
import { ConfigMap, Secret } from '#kinds/generated/handles.ts';
import { type HttpCluster, startHttpCluster } from '../http-cluster.ts';
import fc from '../properties.ts';

/** What came back on a connection, head and bodies. */
interface Heard {
  readonly text: string;
  /** The codes of all answers. */
  readonly codes: readonly number[];
}

/** Longest wait for a server that says nothing. */
const silenceMs = 10_000;

describe('requests of somebody who means harm', () => {
  let cluster: HttpCluster;
  let port: number;
  let admin: { readonly cert: string; readonly key: string };

  before(async () => {
    cluster = await startHttpCluster({ nodes: 0 });
    const { client } = loadKubeconfig({ path: cluster.kubeconfig, environment: {} });
    port = Number(new URL(client.server).port);
    admin = { cert: String(client.certificate), key: String(client.key) };
    await cluster.client.create(Secret, {
      metadata: { name: 'hidden', namespace: 'default' },
      data: { k: 'aGlkZGVu' },
    });
  });

  after(() => cluster.stop());

  /** Sends bytes as they are and hears until the server closes. */
  function send(bytes: string | Uint8Array, { as }: { readonly as: 'admin' | 'nobody' }): Promise<Heard> {
    const identity = as === 'admin' ? admin : {};
    const { promise, resolve } = Promise.withResolvers<Heard>();
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
      ...identity,
    });
    let text = '';
    socket.setTimeout(silenceMs, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () =>
      resolve({ text, codes: [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code]) => Number(code)) }),
    );
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return promise;
  }

  const head = (method: string, path: string, ...headers: readonly string[]): string =>
    `${[`${method} ${path} HTTP/1.1`, 'Host: a', 'Connection: close', ...headers].join('\r\n')}\r\n\r\n`;

  test('an honest request of the same making is answered', async () => {
    const { codes, text } = await send(head('GET', '/api/v1/namespaces/default/secrets/hidden'), { as: 'admin' });
    assert.deepEqual(codes, [200]);
    assert.ok(text.includes('aGlkZGVu'));
  });

  const smuggled = 'GET /api/v1/namespaces/default/secrets/hidden HTTP/1.1\r\nHost: a\r\n\r\n';
  const post = (headers: readonly string[], body: string): string =>
    `${['POST /api/v1/namespaces/default/configmaps HTTP/1.1', 'Host: a', ...headers].join('\r\n')}\r\n\r\n${body}`;

  for (const [what, bytes] of [
    ['two lengths', post(['Content-Length: 2', 'Content-Length: 70'], `{}${smuggled}`)],
    ['a length beside chunks', post(['Content-Length: 5', 'Transfer-Encoding: chunked'], `0\r\n\r\n${smuggled}`)],
    ['chunks in disguise', post(['Content-Length: 2', 'Transfer-Encoding : chunked'], `{}${smuggled}`)],
    ['chunks that are not last', post(['Transfer-Encoding: chunked, identity'], `0\r\n\r\n${smuggled}`)],
    ['a folded header', head('GET', '/healthz', 'X-A: b\r\n Transfer-Encoding: chunked')],
    ['a line feed alone', 'GET /healthz HTTP/1.1\nHost: a\nConnection: close\n\n'],
    ['a NUL in a header', head('GET', '/healthz', 'X-A: b\0c')],
    ['a length below zero', post(['Content-Length: -1'], smuggled)],
    ['a length beyond counting', post(['Content-Length: 99999999999999999999'], smuggled)],
    ['a chunk beyond counting', post(['Transfer-Encoding: chunked'], `FFFFFFFFFFFFFFFFF\r\n${smuggled}`)],
    ['heads without end', `GET /healthz HTTP/1.1\r\n${`X-A: ${'b'.repeat(1000)}\r\n`.repeat(200)}\r\n`],
    ['a preface of HTTP/2 where HTTP/1.1 was agreed', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${smuggled}`],
  ] as const)
    test(`${what}: refused, and nothing behind it is read as a request`, async () => {
      const { codes, text } = await send(bytes, { as: 'admin' });
      assert.ok(codes.length <= 1 && codes.every((code) => code >= 400 && code < 500), `${codes}`);
      assert.ok(!text.includes('aGlkZGVu'));
    });

  test('a body of as many chunks as bytes is read all the same', async () => {
    const body = '{"metadata":{"name":"crumbs"},"data":{"k":"v"}}';
    const chunks = [...body].map((byte) => `1\r\n${byte}\r\n`).join('');
    const headers = ['Content-Type: application/json', 'Transfer-Encoding: chunked', 'Connection: close'];
    const { codes } = await send(post(headers, `${chunks}0\r\n\r\n`), { as: 'admin' });
    assert.deepEqual(codes, [201]);
    await cluster.client.delete(ConfigMap, { namespace: 'default', name: 'crumbs' });
  });

  test('whatever a path is made of, who may not read a secret does not get it, and every answer is a Status', async () => {
    const slash = fc.constantFrom(
      '/',
      '//',
      '%2f',
      '%2F',
      '/./',
      '/%2e/',
      '/../default/',
      '\\',
      '%5c',
      ';/',
      '%c0%af',
      '%252f',
    );
    const path = fc
      .tuple(
        slash,
        slash,
        slash,
        slash,
        slash,
        fc.constantFrom('', '?', '#', '%00', '%20', '.json', '/', '?x=%', '/status'),
      )
      .map(([a, b, c, d, e, end]) => `/api${a}v1${b}namespaces${c}default${d}secrets${e}hidden${end}`);
    const method = fc.constantFrom('GET', 'HEAD', 'get', 'POST', 'OPTIONS', 'TRACE', 'PROPFIND');
    await fc.assert(
      fc.asyncProperty(method, path, async (verb, place) => {
        const { text, codes } = await send(head(verb, place), { as: 'nobody' });
        assert.ok(!text.includes('aGlkZGVu'));
        assert.ok(codes.length === 1 && codes[0]! >= 400 && codes[0]! < 500, `${verb} ${place}: ${codes}`);
        const body = text.slice(text.indexOf('\r\n\r\n') + 4);
        if (body !== '') assert.match(body, /^\{"kind":"Status"/, `${verb} ${place}`);
      }),
      { numRuns: 150 },
    );
  });

  test('whatever headers say of who asks, it is believed or refused, and never a failure of the server', async () => {
    const text = fc.string().map((raw) => raw.replace(/[^\x20-\x7e]/g, ''));
    const token = fc
      .tuple(
        fc.constantFrom(
          '{"alg":"RS256"}',
          '{"alg":"none"}',
          '{"alg":"ES256","kid":"a"}',
          '[]',
          '{',
          'null',
          '{"alg":1}',
        ),
        fc.constantFrom(
          '{"iss":"https://kubernetes.default.svc.cluster.local","exp":1e99,"sub":{}}',
          '{"iss":["a"],"aud":{"a":1},"kubernetes.io":{"pod":7}}',
          '{"__proto__":{"iss":"a"}}',
          '7',
          '',
        ),
        text,
      )
      .map((parts) => parts.map((part) => Buffer.from(part).toString('base64url')).join('.'));
    const header = fc.oneof(
      fc.tuple(fc.constant('Authorization: Bearer '), fc.oneof(token, text)),
      fc.tuple(fc.constantFrom('Authorization: ', 'Authorization: Basic ', 'Authorization: Bearer\t'), text),
      fc.tuple(
        fc.constant('Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.'),
        fc.oneof(text, fc.constantFrom('!!!', '_w', 'gICA', ', a', '')),
      ),
      fc.tuple(
        fc.constantFrom(
          'Impersonate-User: ',
          'Impersonate-Uid: ',
          'Impersonate-Group: ',
          'Impersonate-Extra-%zz: ',
          'Impersonate-Extra-%c0%af: ',
          'Impersonate-Extra-__proto__: ',
          'X-Remote-User: ',
          'X-Remote-Extra-%: ',
          'Audit-Id: ',
          'Traceparent: ',
          'User-Agent: ',
          'If-None-Match: ',
          'Accept-Encoding: ',
        ),
        text,
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(header, { maxLength: 4 }), fc.constantFrom('admin', 'nobody'), async (headers, as) => {
        const lines = headers.map(([name, value]) => name + value);
        const { text: answer, codes } = await send(head('GET', '/api/v1/namespaces/default/secrets/hidden', ...lines), {
          as,
        });
        // Who wants to have somebody's groups without their name is answered with 500 by the official server, too.
        const isKnown = answer.includes('without impersonating a user');
        assert.ok(
          codes.length === 1 && (codes[0]! < 500 || isKnown),
          `${as} ${lines.join(' | ')}: ${answer.slice(0, 600)}`,
        );
        if (as === 'nobody') assert.ok(!answer.includes('aGlkZGVu'), lines.join(' | '));
      }),
      { numRuns: 400 },
    );
  });

  test('upgrades to strange places are refused with a Status, and counted', async () => {
    const upgrade = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ].join('\r\n');
    for (const [path, expected] of [
      ['/%zz', 400],
      ['//', 404],
      ['/api/v1/namespaces/default/pods/x/exec?command=a', 404],
      ['/api/v1/namespaces/default/secrets/hidden', 400],
      ['/api/v1/namespaces/default/pods/../secrets/hidden', 404],
      ['/apis/%2e%2e/api/v1/secrets', 404],
    ] as const) {
      const { codes, text } = await send(`GET ${path} HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n\r\n`, { as: 'admin' });
      assert.deepEqual(codes, [expected], `${path}: ${text}`);
      assert.match(text, /"kind":"Status"/);
    }
    const { stdout } = await cluster.kubectl(['get', '--raw', '/metrics']);
    assert.match(
      stdout,
      /apiserver_request_total\{verb="CONNECT",.*resource="pods",subresource="exec".*code="404"\} 1/,
    );
  });

  test('whatever a query or a body says, the administrator gets an answer that is no failure of the server', async () => {
    const names = fc.constantFrom(
      'labelSelector',
      'fieldSelector',
      'continue',
      'limit',
      'resourceVersion',
      'resourceVersionMatch',
      'timeoutSeconds',
      'dryRun',
      'fieldValidation',
      'fieldManager',
      'pretty',
      'sendInitialEvents',
      'propagationPolicy',
      'gracePeriodSeconds',
      'includeObject',
    );
    const values = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'a=b',
        '-1',
        '99999999999999999999',
        'true',
        'a in (',
        '%',
        'Exact',
        'NotOlderThan',
        '0',
        '1e9',
        'All',
        '\ud800',
        '__proto__',
      ),
    );
    const type = fc.constantFrom(
      'application/json',
      'application/yaml',
      'application/vnd.kubernetes.protobuf',
      'application/merge-patch+json',
      'application/json-patch+json',
      'application/strategic-merge-patch+json',
      'application/apply-patch+yaml',
      'text/html',
      'constructor',
      '__proto__',
      'a;b=c',
      '',
    );
    const accept = fc.constantFrom(
      'application/json',
      'application/json;as=Table;v=v1;g=meta.k8s.io',
      'application/vnd.kubernetes.protobuf',
      'application/yaml',
      '*/*',
      'image/png',
    );
    const body = fc.oneof(
      fc.json(),
      fc.string(),
      fc.constantFrom(
        '{"metadata":{"name":"x"}}',
        '[{"op":"add","path":"/data","value":{}}]',
        '{"__proto__":{}}',
        'a: &a [*a]',
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"../.."}}',
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'),
        fc.constantFrom('', '/x', '/x/status', '/x/scale', '/x/proxy/a'),
        fc.array(fc.tuple(names, values), { maxLength: 4 }),
        fc.tuple(type, accept, body),
        async (method, end, pairs, [contentType, accepts, content]) => {
          const query = new URLSearchParams(pairs).toString();
          const bytes = Buffer.from(content);
          const path = `/api/v1/namespaces/default/configmaps${end}?${query}`;
          const headers = [`Content-Type: ${contentType}`, `Accept: ${accepts}`, `Content-Length: ${bytes.length}`];
          const { codes, text } = await send(
            Buffer.concat([Buffer.from(head(method, path, ...headers), 'latin1'), bytes]),
            { as: 'admin' },
          );
          // The official server answers a version that is none with a 500 of its own, in these words.
          const isAsUpstream = codes[0] === 500 && text.includes('strconv.ParseUint: parsing ');
          assert.ok(
            codes.length === 1 && (codes[0]! < 500 || isAsUpstream),
            `${method} ${path} ${contentType} ${content}: ${text.slice(0, 600)}`,
          );
        },
      ),
      { numRuns: 300 },
    );
    assert.ok((await cluster.client.list(ConfigMap, { namespace: 'default' })).items.length >= 0);
  });

  test('nobody writes lines into the log, or steers the terminal that shows it', () => {
    const lines: string[] = [];
    const log = createLog({ write: (line) => lines.push(line), now: () => 0 });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        log.info(text, { name: text });
        assert.doesNotMatch(lines.pop()!, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      }),
    );
    log.info('a\r\nb', { name: 'c\u009bd' });
    assert.match(lines.pop()!, /INFO {2}a\\r\\nb name="c\\u009bd"$/);
  });
});
