import { sleep } from '#base/clock.ts';
import { badRequest } from '#machinery/errors.ts';
import { sendBytes, writeHead } from './answer.ts';
import { writeChunk } from './chunks.ts';
import type { Exchange } from './handler.ts';

const defaultSeconds = 30;
const mostSeconds = 300;

/**
 * Profiles of this process on request, where upstream has them; in V8's forms, which Chrome's developer tools open:
 * `/debug/pprof/profile?seconds=30` as .cpuprofile, `/debug/pprof/heap` as .heapsnapshot.
 * @returns whether the path is one of these.
 */
export async function serveProfile(exchange: Exchange, path: string): Promise<boolean> {
  if (path === '/debug/pprof/profile') await sendCpuProfile(exchange);
  else if (path === '/debug/pprof/heap') await sendHeapSnapshot(exchange);
  else return false;
  return true;
}

async function sendCpuProfile({ query, response, server, signal }: Exchange): Promise<void> {
  const seconds = Number(query.get('seconds') ?? defaultSeconds);
  if (!(seconds > 0 && seconds <= mostSeconds)) throw badRequest(`seconds must be between 0 and ${mostSeconds}`);
  const session = await openSession();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    await sleep(server.environment.clock, seconds * 1000, signal);
    const { profile } = await session.post('Profiler.stop');
    sendBytes(response, 200, 'application/json', Buffer.from(JSON.stringify(profile)));
  } finally {
    session.disconnect();
  }
}

async function sendHeapSnapshot({ response }: Exchange): Promise<void> {
  const { getHeapSnapshot } = await import('node:v8');
  writeHead(response, 200, { 'content-type': 'application/json' });
  for await (const chunk of getHeapSnapshot()) if (!(await writeChunk(response, chunk as Uint8Array))) return;
  response.end();
}

/** The inspector is loaded by those who ask for a profile. */
async function openSession() {
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connect();
  return session;
}
