import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EnduringAsker, endedAnswer } from './enduring.ts';
import type { Answer, Request } from './exchange.ts';

/** A server whose process ends at `deadly` paths, and with it all that it is being asked. */
function mortalServer(deadly: ReadonlySet<string>) {
  let isAlive = true;
  let starts = 0;
  const ask = async ({ path }: Request): Promise<Answer> => {
    if (isAlive) await Promise.resolve();
    if (deadly.has(path)) isAlive = false;
    await Promise.resolve();
    if (!isAlive) throw new Error('socket hang up');
    return { status: 200, contentType: '', warnings: [], headers: {}, endsLine: true, body: path };
  };
  const revive = async (): Promise<void> => {
    if (isAlive) return;
    await Promise.resolve();
    isAlive = true;
    starts++;
  };
  return { ask, revive, starts: () => starts };
}

test('of requests under way when a server ends, the one that ended it is found and the others are answered', async () => {
  const server = mortalServer(new Set(['/c', '/f']));
  const asker = new EnduringAsker(server, server.revive);
  const paths = ['/a', '/b', '/c', '/d', '/e', '/f', '/g', '/h'];
  const answers = await Promise.all(paths.map((path) => asker.ask({ method: 'GET', path })));
  assert.deepEqual(
    answers.map(({ body }) => body),
    paths.map((path) => (path === '/c' || path === '/f' ? endedAnswer.body : path)),
  );
  assert.equal(asker.ended, 2);
  assert.ok(server.starts() >= 2 && server.starts() <= 3);
  assert.equal((await asker.ask({ method: 'GET', path: '/later' })).body, '/later');
});
