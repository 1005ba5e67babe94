import { type FieldError, fieldError } from '#machinery/errors.ts';

const levels = ['privileged', 'baseline', 'restricted'] as const;
export type Level = (typeof levels)[number];

/** Minor version of Kubernetes whose rules hold; `latest` for those of this server. */
export type PolicyVersion = number | 'latest';

export interface LevelVersion {
  readonly level: Level;
  readonly version: PolicyVersion;
}

export const modes = ['enforce', 'audit', 'warn'] as const;
export type Mode = (typeof modes)[number];

/** What a namespace asks for in each mode. */
export type Policy = Readonly<Record<Mode, LevelVersion>>;

export const labelPrefix = 'pod-security.kubernetes.io/';

const latestPrivileged: LevelVersion = { level: 'privileged', version: 'latest' };
export const privilegedPolicy: Policy = {
  enforce: latestPrivileged,
  audit: latestPrivileged,
  warn: latestPrivileged,
};

/** As in `restricted:latest` or `baseline:v1.30`. */
export function formatLevelVersion({ level, version }: LevelVersion): string {
  return `${level}:${version === 'latest' ? 'latest' : `v1.${version}`}`;
}

export function isFullyPrivileged(policy: Policy): boolean {
  return modes.every((mode) => policy[mode].level === 'privileged');
}

export function sameLevelVersion(left: LevelVersion, right: LevelVersion): boolean {
  return left.level === right.level && left.version === right.version;
}

/** Positive when `left` is stricter. */
export function compareLevels(left: Level, right: Level): number {
  return levels.indexOf(left) - levels.indexOf(right);
}

function parseLevel(text: string): Level | undefined {
  return levels.find((level) => level === text);
}

function parseVersion(text: string): PolicyVersion | undefined {
  if (text === 'latest') return 'latest';
  const match = /^v1\.(\d|[1-9]\d*)$/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

export interface ParsedPolicy {
  readonly policy: Policy;
  readonly errors: readonly FieldError[];
}

type Texts = Readonly<Record<string, string>>;

/**
 * The policy that labels ask for, over defaults. Where a label cannot be read, enforcement is as strict as can be and
 * auditing and warning keep silent; a namespace that enforces warns of the same, unless it says otherwise.
 * @param place writes the path of a label in an error.
 */
export function parsePolicy(
  texts: Texts,
  defaults: Policy,
  place: (name: string) => string = (name) => `metadata.labels[${name}]`,
  prefix = labelPrefix,
): ParsedPolicy {
  const policy: Record<Mode, LevelVersion> = { ...defaults };
  const errors: FieldError[] = [];
  let enforces = false;
  for (const mode of modes) {
    const levelText = texts[`${prefix}${mode}`];
    if (levelText !== undefined) {
      const level = parseLevel(levelText);
      if (level === undefined)
        errors.push(fieldError.invalid(place(`${prefix}${mode}`), levelText, `must be one of ${levels.join(', ')}`));
      else if (mode === 'enforce') enforces = true;
      policy[mode] = { ...policy[mode], level: level ?? (mode === 'enforce' ? 'restricted' : 'privileged') };
    }
    const versionText = texts[`${prefix}${mode}-version`];
    if (versionText === undefined) continue;
    const version = parseVersion(versionText);
    if (version === undefined)
      errors.push(fieldError.invalid(place(`${prefix}${mode}-version`), versionText, 'must be "latest" or "v1.x"'));
    policy[mode] = { ...policy[mode], version: version ?? 'latest' };
  }
  const warnsByItself = texts[`${prefix}warn`] !== undefined;
  if (!warnsByItself && enforces && compareLevels(policy.enforce.level, policy.warn.level) > 0) {
    const version = texts[`${prefix}warn-version`] === undefined ? policy.enforce.version : policy.warn.version;
    policy.warn = { level: policy.enforce.level, version };
  }
  return { policy, errors };
}
