import type { Json, JsonObject } from '#machinery/meta.ts';
import { defineThings, thingsOf } from './defined.ts';
import type { Step } from './sequence.ts';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const group = 'definitions.example';
const things = thingsOf(group);
const text = { type: 'string' };
const integer = { type: 'integer' };
const texts = { type: 'array', items: text };
const rooted = (properties: JsonObject, more: object = {}): JsonObject =>
  ({ type: 'object', properties: { spec: { type: 'object', properties, ...more } } }) as unknown as JsonObject;

const version = (schema: Json, more: object = {}): Json =>
  ({ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...more }) as Json;

function defined(what: string, versions: readonly Json[], more: object = {}): Step {
  return {
    what,
    method: 'POST',
    path: `${definitions}?dryRun=All`,
    body: {
      metadata: { name: `others.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'others', singular: 'other', kind: 'Other' },
        versions,
        ...more,
      },
    } as Json,
  };
}

const expressions: readonly string[] = [
  'self',
  '',
  'self.',
  'self.unknown == 1',
  'self.list.all(x, self.list.all(y, self.list.all(z, x == y && y == z)))',
  'self.map.all(k, self.map.all(l, k != l))',
  'self.a.matches("[")',
  'self.short.all(x, x.matches("^a+$"))',
  'self.n + "a" == ""',
  'self.n in [1, "a"]',
  'authorizer.path("/").allowed()',
  'optional.of(1).hasValue()',
  'sets.contains(self.list, ["a"])',
];
const ruleOptions: readonly object[] = [
  { message: ' ' },
  { message: 'a\nb' },
  { messageExpression: 'self' },
  { messageExpression: '' },
  { reason: 'X' },
  { fieldPath: '.none' },
  { fieldPath: 'a' },
  { optionalOldSelf: true },
];
const ruledFields = {
  a: text,
  n: integer,
  list: texts,
  short: { type: 'array', items: { type: 'string', maxLength: 10 }, maxItems: 5 },
  map: { type: 'object', additionalProperties: text },
} as unknown as JsonObject;
const ruled = (rule: string, more: object = {}): readonly Json[] => [
  version(rooted(ruledFields, { 'x-kubernetes-validations': [{ rule, ...more }] })),
];

/** Parts of schemas that are no structure, or an odd one. */
const fields: readonly object[] = [
  {},
  { type: 'int' },
  { type: 'array' },
  { type: 'object', additionalProperties: true },
  { type: 'object', properties: { x: text }, additionalProperties: text },
  { type: 'string', default: 1 },
  { type: 'string', pattern: '[' },
  { type: 'string', enum: ['a', 'a'] },
  { type: 'string', nullable: true, default: null },
  { 'x-kubernetes-int-or-string': true, type: 'string' },
  { type: 'object', 'x-kubernetes-embedded-resource': true },
  { type: 'object', 'x-kubernetes-preserve-unknown-fields': false },
  { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'set' },
  { type: 'array', items: text, 'x-kubernetes-list-type': 'map' },
  { oneOf: [text] },
  { $ref: '#/x' },
  { type: 'array', items: text, uniqueItems: true },
];

const versionOptions: readonly object[] = [
  { additionalPrinterColumns: [{ name: '', type: 'x', jsonPath: 'spec' }] },
  { additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: '.spec[' }] },
  { selectableFields: [{ jsonPath: '.spec.none' }] },
  { selectableFields: [{ jsonPath: 'spec.a' }, { jsonPath: '.metadata.name' }, { jsonPath: '.spec.a' }] },
  { selectableFields: Array.from({ length: 9 }, (_, index) => ({ jsonPath: `.spec.a${index}` })) },
  {
    subresources: { scale: { specReplicasPath: '.status.n', statusReplicasPath: '.spec.n', labelSelectorPath: '.x' } },
  },
  { subresources: { scale: {} } },
  { deprecationWarning: 'x' },
  { deprecated: true, deprecationWarning: 'a\nb' },
  { storage: false },
];

const held = rooted({
  text: { type: 'string', maxLength: 2, pattern: '^[a-z]+$', enum: ['q'] },
  any: { type: 'string', minLength: 5, anyOf: [{ pattern: '^x' }, { pattern: '^y' }], not: { enum: ['no'] } },
  number: { type: 'integer', maximum: 10, multipleOf: 3, enum: [3], oneOf: [{ minimum: 5 }, { maximum: 2 }] },
  all: { type: 'array', items: { type: 'string', enum: ['q'] }, maxItems: 2, allOf: [{ minItems: 1 }] },
  required: {
    type: 'object',
    properties: { x: text, y: text },
    required: ['x'],
    anyOf: [{ required: ['x'] }, { required: ['y'] }],
  },
  nothing: { type: 'string', nullable: true, enum: ['a'] },
  fraction: { type: 'number', minimum: 1.5, exclusiveMaximum: true, maximum: 3 },
  ...Object.fromEntries(
    ['ipv4', 'ipv6', 'cidr', 'email', 'hostname', 'duration', 'byte', 'mac', 'creditcard', 'uri', 'date-time'].map(
      (format) => [format, { type: 'string', format }],
    ),
  ),
} as unknown as JsonObject);

/** Each member alone: in what order several are told of is a Go map's. */
const specs: readonly object[] = [
  ...['LONG', 'L', 'z', 1, null].map((value) => ({ text: value })),
  ...['no', 'xxxxx', 'zzzzz'].map((value) => ({ any: value })),
  ...[4, 'x', 12, 1.5, 3].map((number) => ({ number })),
  ...[[], ['a', null, 1], ['q', 'q', 'q']].map((all) => ({ all })),
  ...[{}, { x: 1 }, { y: 'b' }, null].map((required) => ({ required })),
  ...[null, 'b', 'a'].map((nothing) => ({ nothing })),
  ...[3, 1, 2].map((fraction) => ({ fraction })),
  ...['01.2.3.4', '::ffff:1.2.3.4', '1.2.3', ''].map((ipv4) => ({ ipv4 })),
  ...['::ffff:1.2.3.4', '1.2.3.4'].map((ipv6) => ({ ipv6 })),
  ...['1.2.3.4/024', '1.2.3.4/33', '::/128'].map((cidr) => ({ cidr })),
  ...['A <a@b>', 'a@b.c', 'a@', '<a@b>'].map((email) => ({ email })),
  ...['a.b', 'a.bc', 'abc-', 'a-b', 'ab-c', '1.2.3.4', 'YQ=='].map((hostname) => ({ hostname })),
  ...['3 days', '1 d', '12d3', '1x', '1h2', '99999999999999999999d'].map((duration) => ({ duration })),
  ...['', 'YQ==', 'YQ'].map((byte) => ({ byte })),
  ...['00:11:22:33:44:55', '4111111111111111', '00112233445566778'].map((mac) => ({ mac })),
  ...['4111111111111111', '20200101000000'].map((creditcard) => ({ creditcard })),
  ...['a', '/a', 'http://a b', '::1'].map((uri) => ({ uri })),
  ...['2020-01-01T00:00:00', '2020-13-01T00:00:00Z'].map((time) => ({ 'date-time': time })),
];

const named = 'columns.example';
const columns = [
  ['Text', 'string', '.spec.text'],
  ['First', 'string', '.spec.list[0]'],
  ['Every', 'string', '.spec.list[*]'],
  ['List', 'string', '.spec.list'],
  ['None', 'string', '.spec.none'],
  ['Boolean', 'boolean', '.spec.text'],
  ['Date', 'date', '.spec.text'],
  ['Number', 'number', '.spec.n'],
  ['Map', 'string', '.spec.map'],
].map(([name, type, jsonPath]) => ({ name, type, jsonPath }));

const shown: readonly Step[] = [
  defineThings(named, rooted({ text, n: integer, list: texts, map: ruledFields['map']! } as JsonObject), {
    selectableFields: [{ jsonPath: '.spec.text' }, { jsonPath: '.spec.n' }],
    additionalPrinterColumns: columns,
  }),
  {
    what: 'prepare what is shown',
    method: 'POST',
    path: thingsOf(named),
    body: {
      apiVersion: `${named}/v1`,
      kind: 'Thing',
      metadata: { name: 'shown' },
      spec: { text: 'LONG', n: 50, list: ['a', 'b'], map: { x: 'y' } },
    },
  },
  ...['spec.text=LONG', 'spec.text!=LONG', 'spec.n=50', 'spec.none=1', 'metadata.name=shown,spec.text=LONG'].map(
    (selector): Step => ({
      what: `selected by ${selector}`,
      method: 'GET',
      path: `${thingsOf(named)}?fieldSelector=${encodeURIComponent(selector)}`,
    }),
  ),
  { what: 'as a table', method: 'GET', path: thingsOf(named), accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
];

/** What may stand in a definition, and what it makes of objects. */
export const definitionsAndObjects: readonly Step[] = [
  ...expressions.map((rule) => defined(`rule ${rule}`, ruled(rule))),
  ...ruleOptions.map((more) => defined(`rule with ${JSON.stringify(more)}`, ruled('self.a == "x"', more))),
  ...fields.map((field) => defined(`field ${JSON.stringify(field)}`, [version(rooted({ a: field } as JsonObject))])),
  ...versionOptions.map((more) =>
    defined(`version with ${JSON.stringify(more)}`, [
      version(rooted({ a: text, n: integer } as unknown as JsonObject), more),
    ]),
  ),
  defined('two that are stored', [version({ type: 'object' }), version({ type: 'object' }, { name: 'v2' })]),
  defined('an odd conversion', [version({ type: 'object' })], { conversion: { strategy: 'Webhook' } }),
  defined('an odd scope', [version({ type: 'object' })], { scope: 'X' }),
  defineThings(group, held),
  ...specs.map(
    (spec): Step => ({
      what: `object ${JSON.stringify(spec)}`,
      method: 'POST',
      path: `${things}?dryRun=All`,
      body: { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'x' }, spec } as Json,
    }),
  ),
  ...shown,
];
