import { type Base, type Case, caseOf, isStored, type Operation } from './cases.ts';
import type { Mutation } from './generate.ts';

/** Requests to which the two servers once gave different answers, by their seeds. */
const seeds = [
  41701943, 41710767, 41718848, 41731395, 50020045, 50025505, 50029742, 50037573, 50040481, 50047531, 50048889,
  50061769, 50065106, 50066295, 50081821, 50087318, 50087576, 50092569, 50095238, 50096058, 50110902, 50117909,
  50120931, 50122229, 60014218, 60081125, 60092129, 60103348, 70019690, 80009935, 80043198, 80086006, 80146679,
  80164824, 90072509, 97016215, 97027496, 110011354, 170013277, 220015768,
];

interface Asked {
  readonly operation: Operation;
  readonly mutations: readonly Mutation[];
}

/** Requests that every kind is asked. */
const ofEveryKind: readonly Asked[] = [
  { operation: 'merge', mutations: [{ path: ['metadata'], value: { resourceVersion: '0' } }] },
  { operation: 'update', mutations: [{ path: ['metadata', 'resourceVersion'], value: undefined }] },
  { operation: 'update', mutations: [{ path: ['metadata', 'uid'], value: 'other' }] },
  // Some kinds have no status.
  { operation: 'status', mutations: [{ path: ['metadata', 'annotations'], value: { a: 'b' } }] },
];

const preferred = (values: readonly string[]): Mutation['value'] => {
  const preference = { matchExpressions: [{ key: 'ab', operator: 'Gt', values }] };
  return { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference }] } };
};
const items = ['spec', 'versions', 0, 'schema', 'openAPIV3Schema', 'properties', 'spec', 'items'];

/** Requests that one kind is asked. */
const ofOneKind: readonly (Asked & { readonly kind: string })[] = [
  { kind: 'Deployment', operation: 'update', mutations: [{ path: ['metadata', 'annotations'], value: { a: 'b' } }] },
  { kind: 'CustomResourceDefinition', operation: 'merge', mutations: [{ path: items, value: [] }] },
  { kind: 'CustomResourceDefinition', operation: 'update', mutations: [{ path: items, value: 'text' }] },
  { kind: 'Secret', operation: 'strategic', mutations: [{ path: ['data'], value: { a: [1, 2, 300], b: [-1] } }] },
  { kind: 'Secret', operation: 'strategic', mutations: [{ path: ['data'], value: { a: [1.5] } }] },
  { kind: 'Pod', operation: 'create', mutations: [{ path: ['spec', 'affinity'], value: preferred(['50%']) }] },
];

/** All of them, each asked again whenever answers are recorded. */
export function onceDifferent(bases: readonly Base[]): readonly Case[] {
  const asked = ({ operation, mutations }: Asked, { index }: Base): Case => ({
    base: index,
    operation,
    mutations,
    query: { dryRun: 'All' },
  });
  return [
    ...seeds.map((seed) => caseOf(seed, bases)),
    ...ofEveryKind.flatMap((one) => bases.filter(isStored).map((base) => asked(one, base))),
    ...ofOneKind.flatMap((one) =>
      bases.filter(({ object }) => object.kind === one.kind).map((base) => asked(one, base)),
    ),
  ];
}
