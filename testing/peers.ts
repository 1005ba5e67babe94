import { writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority, issueLeaf } from '#apiserver/certificates/authority.ts';

/** A server on loopback that a test plays, such as a webhook or an issuer of tokens. */
export interface Peer {
  readonly url: string;
  /** PEM of the authority behind its certificate, for one that speaks HTTPS. */
  readonly authority: string;
  stop(): Promise<void>;
}

type Answer = (path: string, body: unknown) => { readonly status?: number; readonly body: unknown };

function listener(answer: Answer): RequestListener {
  return (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const text = Buffer.concat(parts).toString();
      const { status = 200, body } = answer(request.url ?? '/', text === '' ? undefined : JSON.parse(text));
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  };
}

/** Answers JSON with JSON over plain HTTP, for webhooks. */
export async function startPeer(answer: Answer): Promise<Peer> {
  const server = createHttpServer(listener(answer));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, authority: '', stop: () => stopServer(server) };
}

/** The same over HTTPS, for what has to be reached by it. `now` is the time of the certificate, in milliseconds. */
export async function startSecurePeer(now: number, answer: Answer): Promise<Peer> {
  const authority = await createAuthority('test-ca', now);
  const leaf = { commonName: 'peer', hosts: ['127.0.0.1'], usage: 'server', now } as const;
  const { certificate, key } = await issueLeaf(authority, leaf);
  const server = createHttpsServer({ cert: certificate, key }, listener(answer));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `https://127.0.0.1:${port}`, authority: authority.certificate, stop: () => stopServer(server) };
}

function stopServer(server: { close(done: () => void): void; closeAllConnections(): void }): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** A kubeconfig that leads to a peer. */
export function writePeerConfig(file: string, { url }: Peer): string {
  const config = {
    'current-context': 'peer',
    contexts: [{ name: 'peer', context: { cluster: 'peer', user: 'peer' } }],
    clusters: [{ name: 'peer', cluster: { server: url } }],
    users: [{ name: 'peer', user: {} }],
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}
