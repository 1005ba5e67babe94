import { type ResourceRow, resourceRows } from '#kinds/resources.ts';

/** Whether a built-in resource is served. */
export type IsServed = (row: Pick<ResourceRow, 'group' | 'version' | 'resource'>) => boolean;

/** Keys that stand for many versions, in the order in which they count: a later one has the last word. */
const manyVersions: readonly (readonly [string, RegExp])[] = [
  ['api/all', /./],
  ['api/ga', /^v\d+$/],
  ['api/beta', /^v\d+beta\d+$/],
  ['api/alpha', /^v\d+alpha\d+$/],
];

/**
 * What kube-apiserver's `--runtime-config` says of the built-in APIs: `apps/v1=false`, `api/beta=true`,
 * `resource.k8s.io/v1beta1/resourceclaims=true`. What it does not name stays as it is here: served.
 * @throws Error in upstream's words
 */
export function parseRuntimeConfig(settings: Readonly<Record<string, string>>): IsServed {
  const keys = Object.keys(settings);
  const isOn = (key: string): boolean => booleanOf(key, settings[key]!);
  if (keys.length === 1 && keys[0] === 'api/all' && !isOn('api/all'))
    throw new Error('invalid runtime-config with only api/all=false');
  const many = manyVersions
    .filter(([key]) => keys.includes(key))
    .map(([key, versions]) => [versions, isOn(key)] as const);
  const one = new Map<string, boolean>();
  const special = new Set(['api/legacy', ...manyVersions.map(([key]) => key)]);
  const named = keys.filter((key) => !special.has(key)).map((key) => [key, partsOf(key)] as const);
  const groups = new Set(resourceRows.map(({ group }) => group));
  const unknown = named
    .filter(([, { group }]) => !groups.has(group))
    .map(([, { group, version }]) => `${group}/${version}`);
  if (unknown.length > 0) throw new Error(`unknown api groups ${unknown.join(',')}`);
  for (const [key, { group, version, resource }] of named) {
    if (!resourceRows.some((row) => row.group === group && row.version === version))
      throw new Error(`group version ${group}/${version} that has not been registered`);
    one.set(placeOf({ group, version, resource }), isOn(key));
  }
  return ({ group, version, resource }) => {
    const own = one.get(placeOf({ group, version, resource })) ?? one.get(placeOf({ group, version, resource: '' }));
    return own ?? many.findLast(([versions]) => versions.test(version))?.[1] ?? true;
  };
}

function placeOf({ group, version, resource }: Pick<ResourceRow, 'group' | 'version' | 'resource'>): string {
  return `${group}/${version}/${resource}`;
}

function partsOf(key: string): { readonly group: string; readonly version: string; readonly resource: string } {
  if (key === 'v1') return { group: '', version: 'v1', resource: '' };
  const [group = '', version, resource = '', ...more] = key.split('/');
  if (version === undefined || more.length > 0) throw new Error(`runtime-config invalid key ${key}`);
  return { group: group === 'api' ? '' : group, version, resource };
}

function booleanOf(key: string, value: string): boolean {
  if (/^(1|t|T|true|TRUE|True)$/.test(value)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(value)) return false;
  throw new Error(
    `invalid value of ${key}: ${value}, err: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
  );
}
