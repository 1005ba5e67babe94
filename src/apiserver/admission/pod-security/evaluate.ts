import { baselineChecks } from './checks/baseline.ts';
import type { Check, CheckPod, Finding, PodSubject } from './checks/check.ts';
import { restrictedChecks } from './checks/restricted.ts';
import type { LevelVersion } from './policy.ts';

/** The minor version whose rules are the newest that this server knows. */
export const newestMinor = 36;

const known = new Map<string, readonly CheckPod[]>();

/** What a level of the standards, in one of its versions, objects to in a pod. */
export function findingsOf({ level, version }: LevelVersion, pod: PodSubject): readonly Finding[] {
  if (level === 'privileged') return [];
  const minor = version === 'latest' ? newestMinor : Math.min(version, newestMinor);
  const key = `${level} ${minor}`;
  let checks = known.get(key);
  if (checks === undefined) {
    checks = checksOf(level, minor);
    known.set(key, checks);
  }
  return checks.flatMap((check) => check(pod) ?? []);
}

function checksOf(level: 'baseline' | 'restricted', minor: number): readonly CheckPod[] {
  const inForce = (check: Check): CheckPod | undefined => check.versions.findLast(({ since }) => since <= minor)?.check;
  const stricter = level === 'restricted' ? restrictedChecks.filter((check) => inForce(check) !== undefined) : [];
  const replaced = new Set(stricter.map(({ replaces }) => replaces));
  return [...baselineChecks.filter(({ id }) => !replaced.has(id)), ...stricter].flatMap(
    (check) => inForce(check) ?? [],
  );
}

/** `privileged (container "a" must not …), hostPort (…)` */
export function describeFindings(findings: readonly Finding[]): string {
  return findings.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ');
}

export function reasonsOf(findings: readonly Finding[]): string {
  return findings.map(({ reason }) => reason).join(', ');
}
