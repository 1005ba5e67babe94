import type * as core from '#kinds/generated/types/core_v1.ts';
import type { RuleContext } from '#kinds/kind.ts';
import { equalValues } from '#machinery/equality.ts';
import type { Mutable } from '#machinery/meta.ts';
import { validateAppArmor } from './validation/security.ts';

/** Of a container's name: what it is confined by was said here before there were fields (KEP-24). */
export const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/';

/** The profile that an annotation means; undefined when it means none. */
export function profileOfAnnotation(value: string): core.AppArmorProfile | undefined {
  if (value === 'unconfined') return { type: 'Unconfined' };
  if (value === 'runtime/default') return { type: 'RuntimeDefault' };
  if (!value.startsWith('localhost/')) return undefined;
  const localhostProfile = value.slice('localhost/'.length);
  return localhostProfile === '' ? undefined : { type: 'Localhost', localhostProfile };
}

/** Annotations of a new pod become fields, where a field does not say the same already. */
export function applyAppArmorAnnotations(pod: Mutable<core.Pod>, { warn }: Pick<RuleContext, 'warn'>): void {
  const annotations = Object.keys(pod.metadata.annotations ?? {});
  if (!annotations.some((key) => key.startsWith(appArmorAnnotation)) || pod.spec.os?.name === 'windows') return;
  const { spec } = pod;
  for (const container of [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ]) {
    const key = `${appArmorAnnotation}${container.name}`;
    const value = pod.metadata.annotations![key];
    if (value === undefined || container.securityContext?.appArmorProfile !== undefined) continue;
    const profile = profileOfAnnotation(value);
    const isGood = profile !== undefined && validateAppArmor(profile, '').length === 0;
    if (isGood && equalValues(profile, spec.securityContext?.appArmorProfile)) continue;
    if (isGood) container.securityContext = { ...container.securityContext, appArmorProfile: profile };
    warn?.(`metadata.annotations[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`);
  }
}
