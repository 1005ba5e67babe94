import type { Json } from '#machinery/meta.ts';
import type { Step } from './sequence.ts';

/** A kind with a status and a scale that a sequence has for itself, at `/apis/GROUP/v1/…/things`. */
export function defineThings(group: string, schema: Json = plain, more: object = {}): Step {
  return {
    what: 'prepare a definition',
    method: 'POST',
    path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    body: {
      metadata: { name: `things.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
        versions: [
          { name: 'v1', served: true, storage: true, subresources, schema: { openAPIV3Schema: schema }, ...more },
        ],
      },
    } as unknown as Json,
    until: thingsOf(group),
  };
}

export const thingsOf = (group: string): string => `/apis/${group}/v1/namespaces/default/things`;

const subresources = {
  status: {},
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.selector',
  },
};

const integer = { type: 'integer' };
const plain: Json = {
  type: 'object',
  properties: {
    spec: { type: 'object', properties: { replicas: integer } },
    status: { type: 'object', properties: { replicas: integer, selector: { type: 'string' } } },
  },
};
