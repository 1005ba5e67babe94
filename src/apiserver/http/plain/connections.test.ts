import assert from 'node:assert/strict';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { ConfigMap } from '#kinds/generated/handles.ts';
import { type Access, accessOf } from '#testing/access.ts';
import { type HttpCluster, startHttpCluster } from '#testing/http-cluster.ts';

const path = '/api/v1/namespaces/default/configmaps';
const get = 'GET /version HTTP/1.1\r\nhost: a\r\n\r\n';
const missing = 'GET /api/v1/namespaces/none HTTP/1.1\r\nhost: a\r\n\r\n';

function post(name: string, framing: 'length' | 'chunks'): string {
  const body = JSON.stringify({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name } });
  const head = `POST ${path}?dryRun=All HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n`;
  if (framing === 'length') return `${head}content-length: ${body.length}\r\n\r\n${body}`;
  return `${head}transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}

/** Resolves when the operating system has it: what is written next goes by itself. */
function written(socket: TLSSocket, text: string): Promise<void> {
  return new Promise((resolve) => socket.write(text, () => resolve()));
}

describe('connections over HTTP/1.1', () => {
  let cluster: HttpCluster;
  let access: Access;

  before(async () => {
    cluster = await startHttpCluster({ nodes: 0 });
    access = accessOf(cluster.kubeconfig);
  });

  after(() => cluster.stop());

  async function open(): Promise<TLSSocket> {
    const { host, port, ca, cert, key } = access;
    const socket = connect({ host, port, ca, cert, key, ALPNProtocols: ['http/1.1'] });
    await once(socket, 'secureConnect');
    return socket;
  }

  /** The codes of the answers to what is sent in these pieces, the last of which asks for the connection's end. */
  async function codes(pieces: readonly string[]): Promise<readonly number[]> {
    const socket = await open();
    const answers = text(socket);
    for (const piece of pieces) await written(socket, piece);
    socket.write('GET /version HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    return Array.from((await answers).matchAll(/HTTP\/1\.1 (\d+) /g), ([, code]) => Number(code));
  }

  test('requests that are sent before the last is answered are answered in their order', async () => {
    const asked = [get, missing, post('a', 'length'), get].join('');
    assert.deepEqual(await codes([asked]), [200, 404, 201, 200, 200]);
  });

  test('a request of another form is answered on the same connection, and so is what follows it', async () => {
    const asked = [get, post('a', 'length'), post('b', 'chunks'), get, post('c', 'length')];
    assert.deepEqual(await codes(asked), [200, 201, 201, 200, 201, 200]);
    assert.deepEqual(await codes([asked.join('')]), [200, 201, 201, 200, 201, 200]);
  });

  test('wherever requests are cut on their way, they are answered the same', async () => {
    const request = fc.constantFrom(get, missing, post('a', 'length'), post('b', 'chunks'));
    const expected = new Map([
      [get, 200],
      [missing, 404],
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 10 }),
        async (requests, lengths) => {
          const pieces: string[] = [];
          let rest = requests.join('');
          for (let cut = 0; rest !== ''; cut++) {
            const length = lengths[cut % lengths.length]!;
            pieces.push(rest.slice(0, length));
            rest = rest.slice(length);
          }
          const wanted = [...requests.map((one) => expected.get(one) ?? 201), 200];
          assert.deepEqual(await codes(pieces), wanted);
        },
      ),
      { seed: 11, numRuns: 40 },
    );
  });

  test('an answer that is longer than what a connection holds arrives as a whole, also where it is read late', async () => {
    const data = { text: 'x'.repeat(100_000) };
    const count = 80;
    for (let index = 0; index < count; index++)
      await cluster.client.create(ConfigMap, { metadata: { name: `long-${index}`, namespace: 'kube-public' }, data });
    const socket = await open();
    socket.pause();
    await written(socket, 'GET /api/v1/namespaces/kube-public/configmaps HTTP/1.1\r\nhost: a\r\n\r\n');
    await written(socket, 'GET /version HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    const answers = (await text(socket)).split('HTTP/1.1 200 OK').slice(1);
    assert.equal(answers.length, 2);
    const [head = '', ...chunks] = answers[0]!.split('\r\n\r\n');
    assert.match(head, /transfer-encoding: chunked/);
    const list = chunks.join('\r\n\r\n').replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/g, '');
    const { items } = JSON.parse(list) as { readonly items: readonly { readonly data: typeof data }[] };
    assert.equal(items.filter((item) => item.data.text === data.text).length, count);
  });

  test('a client that goes away with a request half sent leaves nothing behind', async () => {
    const socket = await open();
    await written(socket, post('half', 'length').slice(0, -5));
    socket.destroy();
    await once(socket, 'close');
    assert.deepEqual(await codes([get]), [200, 200]);
  });

  test('an answer without a body has none, and the connection goes on', async () => {
    const socket = await open();
    const tagged = 'GET /openapi/v2 HTTP/1.1\r\nhost: a\r\naccept: application/json\r\n';
    socket.write(`${tagged}\r\n`);
    let text = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
    });
    while (!text.includes('\r\n\r\n')) await once(socket, 'data');
    const etag = /\r\netag: (.*)\r\n/i.exec(text)![1]!;
    socket.destroy();
    assert.deepEqual(await codes([`${tagged}if-none-match: ${etag}\r\n\r\n`, get]), [304, 200, 200]);
  });
});
