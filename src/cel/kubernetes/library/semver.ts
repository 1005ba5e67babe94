import { global, member } from '../../library/define.ts';
import type { Library } from '../../library/library.ts';
import { typeConstants } from '../../library/standard/index.ts';
import { boolType, type CelType, intType, opaqueType, stringType } from '../../types/types.ts';
import { fail, OpaqueValue, type Value } from '../../values/value.ts';

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-semver-library (semver.org 2.0.0). */

const semverType: CelType = opaqueType('kubernetes.Semver');

interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly prerelease: readonly string[];
}

class SemverValue extends OpaqueValue {
  readonly type = semverType;
  readonly version: Version;

  constructor(version: Version) {
    super();
    this.version = version;
  }

  /** Build metadata does not count. */
  equals(other: Value): boolean {
    return other instanceof SemverValue && compare(this, other) === 0;
  }
}

const number = '(0|[1-9]\\d*)';
const identifiers = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const pattern = new RegExp(`^${number}\\.${number}\\.${number}(?:-(${identifiers}))?(?:\\+${identifiers})?$`);

/** Undefined: the text is no version. */
function parseVersion(text: string, { normalize = false } = {}): SemverValue | undefined {
  const match = pattern.exec(normalize ? normalized(text) : text);
  if (match === null) return undefined;
  const prerelease = match[4]?.split('.') ?? [];
  if (prerelease.some((part) => /^0\d+$/.test(part))) return undefined;
  return new SemverValue({ major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]), prerelease });
}

/** `v1.02` becomes `1.2.0`: no prefix, no leading zeros, three parts. */
function normalized(text: string): string {
  const [, core = '', rest = ''] = /^v?([^-+]*)(.*)$/s.exec(text)!;
  const parts = core.split('.').map((part) => part.replace(/^0+(?=\d)/, ''));
  while (parts.length < 3) parts.push('0');
  return parts.join('.') + rest;
}

/** What is wrong with a text that is no version. */
function problemOf(text: string): string {
  const parts = text.split('.');
  if (text === '') return 'Version string empty';
  if (parts.length < 3) return 'No Major.Minor.Patch elements found';
  for (const [index, name] of ['Major', 'Minor', 'Patch'].entries()) {
    const part = index < 2 ? parts[index]! : /^[^-+]*/.exec(parts.slice(2).join('.'))![0];
    if (!/^\d+$/.test(part)) {
      return `Invalid character(s) found in ${name.toLowerCase()} number ${JSON.stringify(part)}`;
    }
    if (/^0\d/.test(part)) return `${name} number must not contain leading zeroes ${JSON.stringify(part)}`;
  }
  return `Invalid character(s) found in prerelease ${JSON.stringify(text)}`;
}

const versionOf = (text: string, normalize = false): SemverValue =>
  parseVersion(text, { normalize }) ?? fail(problemOf(normalize ? normalized(text) : text));

function compare({ version: a }: SemverValue, { version: b }: SemverValue): number {
  for (const part of ['major', 'minor', 'patch'] as const) if (a[part] !== b[part]) return a[part] < b[part] ? -1 : 1;
  if (a.prerelease.length === 0 || b.prerelease.length === 0) {
    return Math.sign(b.prerelease.length - a.prerelease.length);
  }
  for (let index = 0; ; index++) {
    const [left, right] = [a.prerelease[index], b.prerelease[index]];
    if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? -1 : 1;
    if (left === right) continue;
    const [leftNumber, rightNumber] = [left, right].map((part) => /^\d+$/.test(part));
    if (leftNumber && rightNumber) return Number(left) < Number(right) ? -1 : 1;
    if (leftNumber !== rightNumber) return leftNumber ? -1 : 1;
    return left < right ? -1 : 1;
  }
}

const v = semverType;

export const semverLibrary: Library = {
  name: 'kubernetes.Semver',
  types: typeConstants(new Map([[v.name, v]])),
  overloads: [
    global('semver', 'string_to_semver', [stringType], v, versionOf),
    global('semver', 'string_bool_to_semver', [stringType, boolType], v, versionOf),
    global('isSemver', 'is_semver_string', [stringType], boolType, (text: string) => parseVersion(text) !== undefined),
    global(
      'isSemver',
      'is_semver_string_bool',
      [stringType, boolType],
      boolType,
      (text: string, normalize: boolean) => parseVersion(text, { normalize }) !== undefined,
    ),
    member('major', 'semver_major', [v], intType, ({ version }: SemverValue) => version.major),
    member('minor', 'semver_minor', [v], intType, ({ version }: SemverValue) => version.minor),
    member('patch', 'semver_patch', [v], intType, ({ version }: SemverValue) => version.patch),
    member(
      'isLessThan',
      'semver_is_less_than',
      [v, v],
      boolType,
      (a: SemverValue, b: SemverValue) => compare(a, b) < 0,
    ),
    member(
      'isGreaterThan',
      'semver_is_greater_than',
      [v, v],
      boolType,
      (a: SemverValue, b: SemverValue) => compare(a, b) > 0,
    ),
    member('compareTo', 'semver_compare_to', [v, v], intType, compare),
  ],
};
