import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { parseYaml } from '#machinery/yaml.ts';
import { CliError } from '../failures.ts';
import type { FieldSpec } from './fields.ts';
import { readFile } from './loader.ts';
import { checkShape } from './shape.ts';

export interface KeyValueSources {
  readonly literals?: readonly string[];
  readonly files?: readonly string[];
  readonly envs?: readonly string[];
  readonly env?: string;
}

export interface GeneratorOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly disableNameSuffixHash?: boolean;
  readonly immutable?: boolean;
}

export interface GeneratorArguments extends KeyValueSources {
  readonly name?: string;
  readonly namespace?: string;
  readonly behavior?: string;
  readonly type?: string;
  readonly options?: GeneratorOptions;
}

/** Which resources; names and kinds are regular expressions. */
export interface Selector {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly annotationSelector?: string;
}

export interface Patch {
  readonly path?: string;
  readonly patch?: string;
  readonly target?: Selector;
  readonly options?: { readonly allowNameChange?: boolean; readonly allowKindChange?: boolean };
}

export interface Label {
  readonly pairs?: Readonly<Record<string, string>>;
  readonly includeSelectors?: boolean;
  readonly includeTemplates?: boolean;
  readonly fields?: readonly FieldSpec[];
}

export interface Image {
  readonly name?: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly tagSuffix?: string;
  readonly digest?: string;
}

export interface FieldOptions {
  readonly delimiter?: string;
  readonly index?: number;
  readonly create?: boolean;
}

export interface Replacement {
  readonly source?: Selector & { readonly fieldPath?: string; readonly options?: FieldOptions };
  readonly sourceValue?: string;
  readonly targets?: readonly {
    readonly select?: Selector;
    readonly reject?: readonly Selector[];
    readonly fieldPaths?: readonly string[];
    readonly options?: FieldOptions;
  }[];
}

export interface SortOptions {
  readonly order?: string;
  readonly legacySortOptions?: { readonly orderFirst?: readonly string[]; readonly orderLast?: readonly string[] };
}

/** A kustomization.yaml. https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/ */
export interface Kustomization {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly resources?: readonly string[];
  readonly bases?: readonly string[];
  readonly components?: readonly string[];
  readonly namespace?: string;
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly commonLabels?: Readonly<Record<string, string>>;
  readonly labels?: readonly Label[];
  readonly commonAnnotations?: Readonly<Record<string, string>>;
  readonly configMapGenerator?: readonly GeneratorArguments[];
  readonly secretGenerator?: readonly GeneratorArguments[];
  readonly generatorOptions?: GeneratorOptions;
  readonly patches?: readonly Patch[];
  readonly patchesStrategicMerge?: readonly string[];
  readonly patchesJson6902?: readonly Patch[];
  readonly images?: readonly Image[];
  readonly imageTags?: readonly Image[];
  readonly replicas?: readonly { readonly name?: string; readonly count?: number | bigint }[];
  readonly replacements?: readonly (Replacement & { readonly path?: string })[];
  readonly sortOptions?: SortOptions;
}

/** Fields of upstream's that this build does not know: leaving one out would give another result. */
const unsupported = new Set(
  'vars crds configurations generators transformers validators helmCharts helmGlobals helmChartInflationGenerator buildMetadata openapi'.split(
    ' ',
  ),
);

const fileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
const componentKind = 'Component';

export const isComponent = ({ kind }: Kustomization): boolean => kind === componentKind;

/** Reads the kustomization of a folder; deprecated fields are told to `warn`. Throws CliError. */
export function readKustomization(folder: string, warn: (text: string) => void): Kustomization {
  const present = new Set(readdirSync(folder, { withFileTypes: true }).map(({ name }: Dirent) => name));
  const found = fileNames.filter((name) => present.has(name));
  if (found[0] === undefined) {
    throw new CliError(
      `unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${folder}'`,
    );
  }
  if (found.length > 1) throw new CliError(`Found multiple kustomization files under: ${folder}\n`);
  const read = parse(readFile(join(folder, found[0])).toString('utf8'));
  for (const field of deprecated(read)) warn(field);
  checkKind(read, folder);
  const { bases = [], resources = [], images = [], imageTags = [] } = read;
  return { ...read, resources: [...resources, ...bases], images: [...images, ...imageTags] };
}

function parse(text: string): Kustomization {
  let value: Json;
  try {
    value = parseYaml(text);
  } catch (error) {
    throw new CliError(`invalid Kustomization: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    if (value === null) throw new CliError('kustomization.yaml is empty');
    throw new CliError(
      `invalid Kustomization: json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type types.Kustomization`,
    );
  }
  const fields = Object.entries(value as JsonObject).filter(([, content]) => content !== null);
  for (const [name] of fields) {
    if (unsupported.has(name)) throw new CliError(`this kubectl does not support ${name} in a kustomization`);
  }
  checkShape(value);
  if (fields.every(([name]) => name === 'apiVersion' || name === 'kind' || name === 'metadata')) {
    throw new CliError('kustomization.yaml is empty');
  }
  return Object.fromEntries(fields) as Kustomization;
}

function checkKind({ apiVersion = '', kind = '' }: Kustomization, folder: string): void {
  const isAComponent = kind === componentKind;
  const wanted = isAComponent ? 'kustomize.config.k8s.io/v1alpha1' : 'kustomize.config.k8s.io/v1beta1';
  const problems = [
    ...(['', 'Kustomization', componentKind].includes(kind) ? [] : ['kind should be Kustomization or Component']),
    ...(apiVersion === '' || apiVersion === wanted
      ? []
      : [`apiVersion for ${kind || 'Kustomization'} should be ${wanted}`]),
  ];
  if (problems.length > 0) {
    throw new CliError(`Failed to read kustomization file under ${folder}:\n${problems.join('\n')}`);
  }
}

function deprecated(read: Kustomization): readonly string[] {
  const instead = [
    ['bases', 'resources'],
    ['commonLabels', 'labels'],
    ['imageTags', 'images'],
    ['patchesJson6902', 'patches'],
    ['patchesStrategicMerge', 'patches'],
  ] as const;
  return instead
    .filter(([old]) => read[old] !== undefined)
    .map(
      ([old, now]) =>
        `# Warning: '${old}' is deprecated. Please use '${now}' instead. Run 'kustomize edit fix' to update your Kustomization automatically.\n`,
    );
}
