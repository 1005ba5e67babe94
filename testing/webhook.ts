import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority, issueLeaf } from '#apiserver/certificates/authority.ts';
import type { WebhookClientConfig } from '#apiserver/webhooks/address.ts';
import { systemClock } from '#base/clock.ts';

/** The request of an AdmissionReview or ConversionReview, as far as tests look at it. */
export interface ReviewRequest {
  readonly uid: string;
  readonly operation: string;
  readonly resource: { readonly group: string; readonly version: string; readonly resource: string };
  readonly requestResource: { readonly group: string; readonly version: string; readonly resource: string };
  readonly subResource?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly dryRun?: boolean;
  readonly userInfo: { readonly username: string };
  readonly options: unknown;
  // biome-ignore lint/suspicious/noExplicitAny: whatever kind the test is about.
  readonly object: any;
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  readonly oldObject: any;
  /** What is to be converted, and to what. */
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  readonly objects: readonly any[];
  readonly desiredAPIVersion: string;
}

/** What a test's webhook answers, without the uid; undefined: nothing, ever. */
export type ReviewAnswer =
  | { readonly allowed: boolean; readonly [field: string]: unknown }
  | { readonly result: object; readonly convertedObjects?: readonly object[] }
  | undefined;

export interface TestWebhook {
  readonly requests: readonly ReviewRequest[];
  /** The headers of each request. */
  readonly headers: readonly IncomingHttpHeaders[];
  /** Connections that were made to it. */
  readonly connections: number;
  /** What it proves itself with, PEM. */
  readonly certificate: string;
  clientConfig(path?: string): WebhookClientConfig;
  stop(): Promise<void>;
}

/** JSON Patch operations as an answer carries them. */
export function patchAnswer(...operations: readonly object[]): ReviewAnswer {
  return {
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
  };
}

/** A webhook of admission or conversion on loopback, with a certificate of an authority of its own. */
export async function startWebhook(
  answer: (request: ReviewRequest, path: string) => ReviewAnswer,
  { hosts = ['127.0.0.1', 'hook.default.svc'] }: { readonly hosts?: readonly string[] } = {},
): Promise<TestWebhook> {
  const now = systemClock().now();
  const authority = await createAuthority('authority of webhooks', now);
  const { certificate, key } = await issueLeaf(authority, {
    commonName: 'webhook',
    hosts,
    usage: 'server',
    now,
  });
  const requests: ReviewRequest[] = [];
  const headers: IncomingHttpHeaders[] = [];
  let connections = 0;
  const server = createServer({ cert: certificate, key }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const review = JSON.parse(Buffer.concat(chunks).toString()) as {
      apiVersion: string;
      kind: string;
      request: ReviewRequest;
    };
    requests.push(review.request);
    headers.push(request.headers);
    const said = answer(review.request, request.url ?? '/');
    if (said === undefined) return;
    response.setHeader('content-type', 'application/json');
    const { apiVersion, kind } = review;
    response.end(JSON.stringify({ apiVersion, kind, response: { uid: review.request.uid, ...said } }));
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const caBundle = Buffer.from(authority.certificate).toString('base64');
  return {
    requests,
    headers,
    certificate,
    get connections() {
      return connections;
    },
    clientConfig: (path = '/') => ({ url: `https://127.0.0.1:${port}${path}`, caBundle }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
