import {
  label1035Problems,
  label1123Problems,
  labelKeyProblems,
  labelValueProblems,
  subdomainProblems,
} from '#machinery/names.ts';
import { global, member } from '../../library/define.ts';
import type { Library, Overload } from '../../library/library.ts';
import { typeConstants } from '../../library/standard/index.ts';
import { type CelType, listType, opaqueType, optionalType, stringType } from '../../types/types.ts';
import { ArrayList } from '../../values/collections.ts';
import { parseTimestamp } from '../../values/time.ts';
import { OpaqueValue, OptionalValue, type Value } from '../../values/value.ts';
import { parseUrl } from './url.ts';

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-format-library */

const formatType: CelType = opaqueType('kubernetes.NamedFormat');

export class FormatValue extends OpaqueValue {
  readonly type = formatType;
  readonly name: string;
  readonly problems: (text: string) => readonly string[];
  /** Code points of the pattern that checks the format, for costs. */
  readonly patternSize: number;

  constructor(name: string, patternSize: number, problems: (text: string) => readonly string[]) {
    super();
    this.name = name;
    this.patternSize = patternSize;
    this.problems = problems;
  }

  equals(other: Value): boolean {
    return other instanceof FormatValue && other.name === this.name;
  }
}

/** Of a name that something will be added to, the end may be a dash. */
const asPrefix = (problems: (text: string) => readonly string[]) => (text: string) => problems(text.replace(/-$/, 'a'));

const unless = (test: (text: string) => boolean, problem: string) => (text: string) => (test(text) ? [] : [problem]);

const uuid = /^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$/;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const formats: readonly (readonly [string, FormatValue])[] = [
  ['dns1123Label', new FormatValue('DNS1123Label', 30, label1123Problems)],
  ['dns1123Subdomain', new FormatValue('DNS1123Subdomain', 60, (text) => subdomainProblems(text))],
  ['dns1035Label', new FormatValue('DNS1035Label', 30, label1035Problems)],
  ['qualifiedName', new FormatValue('QualifiedName', 60, labelKeyProblems)],
  ['dns1123LabelPrefix', new FormatValue('DNS1123LabelPrefix', 30, asPrefix(label1123Problems))],
  [
    'dns1123SubdomainPrefix',
    new FormatValue(
      'DNS1123SubdomainPrefix',
      60,
      asPrefix((text) => subdomainProblems(text)),
    ),
  ],
  ['dns1035LabelPrefix', new FormatValue('DNS1035LabelPrefix', 30, asPrefix(label1035Problems))],
  ['labelValue', new FormatValue('LabelValue', 40, labelValueProblems)],
  [
    'uri',
    new FormatValue('URI', 1101, (text) => {
      const url = parseUrl(text);
      return 'problem' in url ? [url.problem] : [];
    }),
  ],
  [
    'uuid',
    new FormatValue(
      'uuid',
      83,
      unless((text) => uuid.test(text), 'does not match the UUID format'),
    ),
  ],
  [
    'byte',
    new FormatValue(
      'byte',
      84,
      unless((text) => base64.test(text), 'invalid base64'),
    ),
  ],
  [
    'date',
    new FormatValue(
      'date',
      83,
      unless((text) => parseTimestamp(`${text}T00:00:00Z`) !== undefined, 'invalid date'),
    ),
  ],
  [
    'datetime',
    new FormatValue(
      'datetime',
      83,
      unless((text) => parseTimestamp(text) !== undefined, 'invalid datetime'),
    ),
  ],
];

const byName = new Map(formats);

function validate(format: FormatValue, text: string): OptionalValue {
  const problems = format.problems(text);
  return problems.length === 0 ? OptionalValue.none : new OptionalValue(new ArrayList(problems));
}

const constants: readonly Overload[] = formats.map(([name, format]) =>
  global(`format.${name}`, `format-${name}`, [], formatType, () => format),
);

export const formatLibrary: Library = {
  name: 'kubernetes.format',
  types: typeConstants(new Map([[formatType.name, formatType]])),
  overloads: [
    ...constants,
    member('validate', 'format-validate', [formatType, stringType], optionalType(listType(stringType)), validate),
    global('format.named', 'format-named', [stringType], optionalType(formatType), (name: string) => {
      const format = byName.get(name);
      return format === undefined ? OptionalValue.none : new OptionalValue(format);
    }),
  ],
};
