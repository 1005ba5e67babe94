import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeadReader } from './head.ts';

const read = (text: string) => new HeadReader().read(Buffer.from(text, 'latin1'));
const usual =
  'POST /api/v1/namespaces?dryRun=All HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nX-Words:  two words \r\n\r\n{}';

test('a request of the usual form is read, with the names of its headers in lower case', () => {
  assert.deepEqual(read(usual), {
    method: 'POST',
    target: '/api/v1/namespaces?dryRun=All',
    headers: { host: 'a', 'content-length': '2', 'x-words': 'two words' },
    end: usual.length - 2,
    length: 2,
  });
});

const unusual: Readonly<Record<string, string>> = {
  'a head that has not come as a whole': 'GET / HTTP/1.1\r\nhost: a\r\n',
  'another method': 'OPTIONS / HTTP/1.1\r\nhost: a\r\n\r\n',
  'another version': 'GET / HTTP/1.0\r\nhost: a\r\n\r\n',
  'a target with its host': 'GET http://a/ HTTP/1.1\r\nhost: a\r\n\r\n',
  'a space in the target': 'GET /a b HTTP/1.1\r\nhost: a\r\n\r\n',
  'no host': 'GET / HTTP/1.1\r\naccept: a\r\n\r\n',
  'no headers': 'GET / HTTP/1.1\r\n\r\n',
  'a header twice': 'GET / HTTP/1.1\r\nhost: a\r\naccept: a\r\nAccept: b\r\n\r\n',
  'two lengths': 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}',
  'a list of lengths': 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2, 2\r\n\r\n{}',
  'a length with a sign': 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +2\r\n\r\n{}',
  'an empty length': 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length:\r\n\r\n',
  chunks: 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  'an upgrade': 'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
  'a connection that ends': 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
  'who waits to be told to go on': 'POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n',
  'a space before the colon': 'GET / HTTP/1.1\r\nhost : a\r\n\r\n',
  'a folded header': 'GET / HTTP/1.1\r\nhost: a\r\naccept: a\r\n b\r\n\r\n',
  'a line feed alone': 'GET / HTTP/1.1\r\nhost: a\naccept: b\r\n\r\n',
  'a carriage return alone': 'GET / HTTP/1.1\r\nhost: a\raccept: b\r\n\r\n',
  'a NUL': 'GET / HTTP/1.1\r\nhost: a\0\r\n\r\n',
  'the name of a prototype': 'GET / HTTP/1.1\r\nhost: a\r\n__proto__: b\r\n\r\n',
  'a long head': `GET / HTTP/1.1\r\nhost: a\r\naccept: ${'a'.repeat(9000)}\r\n\r\n`,
};

for (const [what, text] of Object.entries(unusual))
  test(`${what} is left to Node`, () => assert.equal(read(text), undefined));

test('headers of the last request do not stay for one with others', () => {
  const reader = new HeadReader();
  const of = (accept: string) =>
    reader.read(Buffer.from(`GET / HTTP/1.1\r\nhost: a\r\naccept: ${accept}\r\n\r\n`))?.headers['accept'];
  assert.deepEqual([of('b'), of('b'), of('c')], ['b', 'b', 'c']);
});

test('whatever comes, what is read has one line to each header and nothing that ends a line', () => {
  const piece = fc.constantFrom(
    'GET',
    'POST',
    ' ',
    '/',
    ' HTTP/1.1',
    '\r\n',
    '\r',
    '\n',
    ':',
    'host',
    'a',
    ',',
    '\t',
    '\0',
    '2',
    'content-length',
  );
  const head = fc.array(fc.oneof({ weight: 4, arbitrary: piece }, { weight: 1, arbitrary: fc.string() }));
  fc.assert(
    fc.property(head, (pieces) => {
      const seen = read(`GET / HTTP/1.1\r\nhost: a\r\n${pieces.join('')}\r\n\r\n`);
      if (seen === undefined) return;
      for (const [name, value] of Object.entries(seen.headers)) assert.doesNotMatch(name + value, /[\r\n\0]/);
      assert.equal(seen.length, Number(seen.headers['content-length'] ?? 0));
    }),
    { seed: 6, numRuns: 2000 },
  );
});
