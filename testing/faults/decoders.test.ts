import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { keyOfJwk, parseJwt } from '#apiserver/authentication/jwt.ts';
import { readCertificateRequest } from '#apiserver/certificates/requests.ts';
import { trustBundleRules } from '#apiserver/certificates/trust-bundle-rules.ts';
import { negotiateAnswer } from '#apiserver/http/negotiation.ts';
import { requestInfo } from '#apiserver/http/request-info.ts';
import { decodeContinue, encodeContinue } from '#apiserver/registry/continue-token.ts';
import { applyPatchDocument } from '#apiserver/registry/patch.ts';
import { decodeForm } from '#apiserver/storage-form/form.ts';
import { compile, dynType, fromJson } from '#cel/index.ts';
import { environmentWith } from '#cel/kubernetes/environment.ts';
import { parseSchedule } from '#controllers/cronjob/schedule.ts';
import type { ClusterTrustBundle } from '#kinds/generated/types/certificates_v1beta1.ts';
import { schemaNamed } from '#kinds/schemas.ts';
import { decodeCbor, encodeCbor } from '#machinery/cbor.ts';
import { ApiError } from '#machinery/errors.ts';
import { parseFieldSelector } from '#machinery/fields.ts';
import { cidrProblems, ipProblems } from '#machinery/ip.ts';
import { conform, decodeJson, parseJson, parseShallowJson } from '#machinery/json.ts';
import { compileJsonPath } from '#machinery/jsonpath/evaluate.ts';
import { parseLabelSelector } from '#machinery/label-parser.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { decodeProtobuf } from '#machinery/protobuf.ts';
import { canonicalQuantity } from '#machinery/quantity.ts';
import { canonicalTime, parseDuration } from '#machinery/time.ts';
import { parseLenientYaml, parseYamlDocuments } from '#machinery/yaml.ts';
import { decodeResizes } from '#streaming/remote-command/protocol.ts';
import { FrameReader } from '#streaming/spdy/frames.ts';
import { HeaderDecoder, HeaderEncoder } from '#streaming/spdy/headers.ts';
import { encodeFrame, WebSocketFrameReader } from '#streaming/websocket/frames.ts';
import fc from '../properties.ts';
import { broken, hard, hardBytes } from './hostile-inputs.ts';

/** Something that reads what a stranger sent. */
interface Decoder {
  readonly what: string;
  /** What is well-formed, to be broken; and what once found a fault. */
  readonly seeds: readonly (string | Uint8Array)[];
  readonly read: (bytes: Uint8Array) => unknown;
  /** The names of errors that say what is wrong; any other is a bug. */
  readonly refusals: readonly string[];
}

const golden = (file: string): Uint8Array => readFileSync(join(import.meta.dirname, '..', 'golden', file));
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const podSchema = schemaNamed('core.v1.Pod');
const podJson = golden('core.v1.Pod.json');
const pod = parseJson(podJson) as JsonObject;
const crdSchema = schemaNamed('apiextensions.v1.CustomResourceDefinition');
const environment = environmentWith({ variables: { self: dynType } });

const csr = `-----BEGIN CERTIFICATE REQUEST-----
MIHYMIGAAgEAMB4xDTALBgNVBAMMBHRlc3QxDTALBgNVBAoMBHRlc3QwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAAQ=
-----END CERTIFICATE REQUEST-----`;

const bundle = (trustBundle: string): ClusterTrustBundle =>
  ({
    apiVersion: 'certificates.k8s.io/v1beta1',
    kind: 'ClusterTrustBundle',
    metadata: { name: 'a' },
    spec: { trustBundle },
  }) as never;

const patched = (type: 'json' | 'merge' | 'strategic') => (bytes: Uint8Array) =>
  conform(applyPatchDocument(type, pod, parseShallowJson(bytes), podSchema), podSchema);

const jwt = ['{"alg":"RS256","kid":"a"}', '{"iss":"https://a","sub":"b","exp":1}', 'signature']
  .map((part) => Buffer.from(part).toString('base64url'))
  .join('.');

const spdyFrames = Buffer.from('80030001010000120000000100000000000078bbdfa251b200000000', 'hex');

const decoders: readonly Decoder[] = [
  {
    what: 'JSON of a built-in kind',
    seeds: [podJson, golden('apps.v1.Deployment.json'), '{"metadata":{"name":"a","name":"b"},"x":1e999}'],
    read: (bytes) => decodeJson(bytes, podSchema, { findDuplicates: true }),
    refusals: ['DecodeError'],
  },
  {
    what: 'JSON of schemas within schemas',
    seeds: [
      '{"spec":{"versions":[{"schema":{"openAPIV3Schema":{"items":[{"type":"a"}],"additionalProperties":true,"default":{"a":1}}}}]}}',
    ],
    read: (bytes) => decodeJson(bytes, crdSchema, { findDuplicates: true }),
    refusals: ['DecodeError'],
  },
  {
    what: 'YAML',
    seeds: [
      golden('core.v1.Pod.yaml'),
      'a: &a [1]\nb: *a\n<<: {c: 0x1F}\n',
      '? [a]\n: b\n',
      '- !!binary aGk=\n--- |\n x\n',
    ],
    read: (bytes) => [parseYamlDocuments(textOf(bytes)), parseLenientYaml(textOf(bytes))],
    refusals: ['YamlError'],
  },
  {
    what: 'YAML of a built-in kind',
    seeds: [golden('core.v1.Pod.yaml')],
    read: (bytes) => conform(parseLenientYaml(textOf(bytes)).value, podSchema),
    refusals: ['YamlError', 'DecodeError'],
  },
  {
    what: 'protobuf',
    seeds: [golden('core.v1.Pod.pb'), golden('apps.v1.Deployment.pb')],
    read: (bytes) => conform(decodeProtobuf(bytes, podSchema), podSchema),
    refusals: ['DecodeError'],
  },
  {
    what: 'CBOR',
    seeds: [encodeCbor(pod, podSchema), encodeCbor(pod)],
    read: (bytes) => conform(decodeCbor(bytes), podSchema),
    refusals: ['DecodeError'],
  },
  {
    what: 'values in etcd',
    seeds: [golden('core.v1.Pod.pb'), podJson, encodeCbor(pod)],
    read: (bytes) => decodeForm(bytes, 1),
    refusals: ['DecodeError'],
  },
  {
    what: 'JSON patches',
    seeds: ['[{"op":"add","path":"/spec/containers/0/args/-","value":1},{"op":"test","path":"/a~1b","value":null}]'],
    read: patched('json'),
    refusals: ['ApiError', 'DecodeError'],
  },
  {
    what: 'merge patches',
    seeds: ['{"spec":{"containers":null,"nodeName":"a"}}', '{"__proto__":{"a":1},"constructor":{"prototype":{"a":1}}}'],
    read: patched('merge'),
    refusals: ['ApiError', 'DecodeError'],
  },
  {
    what: 'strategic patches',
    seeds: [
      '{"spec":{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"$patch":"delete","name":"a"}],"volumes":[{"name":"v"}]}}',
      '{"metadata":{"$deleteFromPrimitiveList/finalizers":["a"],"$retainKeys":["name"],"labels":{"__proto__":"x"}}}',
    ],
    read: patched('strategic'),
    refusals: ['ApiError', 'DecodeError'],
  },
  {
    what: 'CEL',
    seeds: [
      'self.a.all(x, x > 1 && x in [1, 2u, 3.0]) ? "\\u00e9" : b"\\xff" + r\'\\d\'',
      'self.?a.orValue({"k": duration("1h")}).k == timestamp("2026-01-01T00:00:00Z") - self.b[0]',
      'quantity("1Gi").isGreaterThan(self.q) && "a".matches("(a+)+$") && !has(self.x) || -(-(1)) == 1',
    ],
    read: (bytes) => {
      const { program } = compile(textOf(bytes), environment);
      return program?.evaluate({ self: fromJson(pod) }, { costLimit: 100_000 });
    },
    refusals: [],
  },
  {
    what: 'label selectors',
    seeds: ['a=b,c in (d,e),!f,g notin (h), i > 5', 'a in (', 'x==,y!=z'],
    read: (bytes) => parseLabelSelector(textOf(bytes)),
    refusals: ['Error'],
  },
  {
    what: 'field selectors',
    seeds: ['metadata.name=a,status.phase!=Running', 'a=b\\,c\\=d', 'a\\'],
    read: (bytes) => parseFieldSelector(textOf(bytes)),
    refusals: ['Error'],
  },
  {
    what: 'continue tokens',
    seeds: [
      encodeContinue({ revision: 5, key: 'default/a' }),
      Buffer.from('{"v":"meta.k8s.io/v1","rv":-1,"start":"../../x"}').toString('base64url'),
    ],
    read: (bytes) => decodeContinue(textOf(bytes)),
    refusals: ['ApiError'],
  },
  { what: 'tokens', seeds: [jwt, 'a.b.c', `${jwt}.more`], read: (bytes) => parseJwt(textOf(bytes)), refusals: [] },
  {
    what: 'keys of issuers',
    seeds: ['{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"a"}', '{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}'],
    read: (bytes) => {
      let jwk: unknown;
      try {
        jwk = JSON.parse(textOf(bytes));
      } catch {
        return undefined;
      }
      return keyOfJwk(jwk);
    },
    refusals: [],
  },
  {
    what: 'certificate requests',
    seeds: [csr, '-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----'],
    // What is wrong with DER the library says in errors of many names.
    read: (bytes) => readCertificateRequest(textOf(bytes)).catch((error: Error) => assert.ok(error instanceof Error)),
    refusals: [],
  },
  {
    what: 'trust bundles',
    seeds: [
      '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n',
      '-----BEGIN CERTIFICATE-----\n'.repeat(36_000),
      `-----BEGIN ${'A '.repeat(500_000)}`,
      '-----BEGIN A-----\n-----END A-----\n'.repeat(29_000),
      '-----BEGIN CERTIFICATE-----\n-----END A-----\n'.repeat(20_000),
    ],
    read: (bytes) => trustBundleRules.validate?.(bundle(textOf(bytes)), {} as never),
    refusals: [],
  },
  {
    what: 'WebSocket frames',
    seeds: [
      Buffer.concat(encodeFrame(2, Buffer.from('hello'), Buffer.from([1, 2, 3, 4]))),
      Buffer.concat(encodeFrame(9, Buffer.alloc(0), Buffer.from([1, 2, 3, 4]))),
      Buffer.from('82ffffffffffffffffff01020304', 'hex'),
    ],
    read: (bytes) => [...new WebSocketFrameReader({ expectMask: true, maxPayloadBytes: 1024 }).read(bytes)],
    refusals: ['Error'],
  },
  {
    what: 'SPDY frames',
    seeds: [spdyFrames, Buffer.from('0000000101ffffff', 'hex'), Buffer.from('8003000400000100ffffffff', 'hex')],
    read: (bytes) => [...new FrameReader().read(bytes)],
    refusals: ['Error'],
  },
  {
    what: 'SPDY headers',
    seeds: [new HeaderEncoder().encode({ streamtype: 'stdin', ':path': '/', __proto__x: 'a' })],
    read: (bytes) => new HeaderDecoder().decode(bytes),
    refusals: ['Error'],
  },
  {
    what: 'sizes of terminals',
    seeds: ['{"Width":80,"Height":24}{"Width":1e99,"Height":-1}'],
    read: async (bytes) => {
      for await (const { width, height } of decodeResizes(
        (async function* () {
          yield bytes;
        })(),
      ))
        assert.ok(width >= 0 && height >= 0 && width <= 65535 && height <= 65535);
    },
    refusals: [],
  },
  {
    what: 'paths',
    seeds: ['/api/v1/namespaces/default/pods/a/proxy//x/../y', '/apis/a/b/watch/namespaces/x/y/z', '//api//v1///pods'],
    read: (bytes) => requestInfo('GET', textOf(bytes), new URLSearchParams(textOf(bytes))),
    refusals: [],
  },
  {
    what: 'media types',
    seeds: ['application/json;as=Table;v=v1;g=meta.k8s.io, */*;q=0.1', 'application/json;stream=watch,,;;=,'],
    read: (bytes) => negotiateAnswer(textOf(bytes)),
    refusals: ['ApiError'],
  },
  ...textual('quantities', ['1.5Gi', '1e30', '-0.000000000001m', `1e${'9'.repeat(20)}`], canonicalQuantity, ['Error']),
  ...textual('times', ['2026-01-01T00:00:00.123456789+01:00'], canonicalTime, ['Error']),
  ...textual('durations', ['1h2m3.5s', '-1.5h'], parseDuration, []),
  ...textual(
    'addresses',
    ['10.0.0.1', 'fe80::1%eth0', '2001:db8::/32', '1.2.3.4/33'],
    (text) => [ipProblems(text), cidrProblems(text)],
    [],
  ),
  ...textual(
    'schedules',
    ['*/5 0-23/2 1,15 * MON-FRI', '@hourly', 'TZ=UTC 0 0 31 2 *'],
    (text) => parseSchedule(text),
    ['Error'],
  ),
  ...textual(
    'JSONPath',
    ['{.items[*].metadata.name}', '{range .a[?(@.b=="c")]}{..x}{end}', '{[-1:0:2]}'],
    (text) => compileJsonPath(text)(pod as Json),
    ['JsonPathError'],
  ),
];

function textual(
  what: string,
  seeds: readonly string[],
  read: (text: string) => unknown,
  refusals: readonly string[],
): readonly Decoder[] {
  return [{ what, seeds, read: (bytes) => read(textOf(bytes)), refusals }];
}

/** Processor time that reading one input may take; inputs are 3 MiB at most, and these far smaller. */
const maximumMs = 3000;

async function check({ what, read, refusals }: Decoder, input: Uint8Array): Promise<void> {
  const shown = (): string =>
    `${what}: ${Buffer.from(input.subarray(0, 60)).toString('latin1')} (${input.length} bytes)`;
  const before = process.cpuUsage();
  try {
    await read(input);
  } catch (error) {
    if (error instanceof ApiError) assert.ok(error.code >= 400, `${shown()}: ${error.message}`);
    const isRefusal = error instanceof Error && (refusals.includes(error.name) || isOwn(error, refusals));
    if (!isRefusal) throw new Error(`${shown()}: ${error instanceof Error ? error.stack : String(error)}`);
  }
  const { user } = process.cpuUsage(before);
  assert.ok(user / 1000 < maximumMs, `${shown()}: took ${user / 1000} ms`);
}

/** `Error` allows plain errors and those of the decoder's own class, not what the language throws for a bug. */
function isOwn(error: Error, refusals: readonly string[]): boolean {
  return refusals.includes('Error') && !(error instanceof TypeError) && !(error instanceof RangeError);
}

for (const decoder of decoders) {
  const seeds = decoder.seeds.map((seed) => (typeof seed === 'string' ? Buffer.from(seed) : seed));

  test(`${decoder.what}: what is hard to read is read or refused, in time`, async () => {
    for (const input of [...seeds, ...hard.map((text) => Buffer.from(text)), ...hardBytes]) await check(decoder, input);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  });

  test(`${decoder.what}: whatever comes is read or refused`, async () => {
    const inputs = fc.oneof(
      { weight: 5, arbitrary: broken(seeds) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    );
    await fc.assert(
      fc.asyncProperty(inputs, (input) => check(decoder, input)),
      { numRuns: 250 },
    );
  });
}
