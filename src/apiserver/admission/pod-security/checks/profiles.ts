import type { Container, PodSecurityContext, SecurityContext } from '#kinds/generated/types/core_v1.ts';
import { type CheckPod, namedContainers, namesWhere, plural, quoted, setters, sorted } from './check.ts';

const goodProfiles = ['RuntimeDefault', 'Localhost'];

type Context = PodSecurityContext | SecurityContext | undefined;

/** A profile's type that is not allowed, where one is set. */
function badType(profile: { readonly type: string } | undefined): string | undefined {
  return profile === undefined || goodProfiles.includes(profile.type) ? undefined : profile.type;
}

const isText = (text: string | undefined): text is string => text !== undefined;

const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';

export const appArmorProfile: CheckPod = ({ annotations, spec, containers }) => {
  const podType = badType(spec.securityContext?.appArmorProfile);
  const typeOf = ({ securityContext }: Container): string | undefined => badType(securityContext?.appArmorProfile);
  const bad = namesWhere(containers, (container) => typeOf(container) !== undefined);
  const noted = Object.entries(annotations)
    .filter(([key, value]) => key.startsWith(appArmorPrefix) && !/^($|runtime\/default$|localhost\/)/.test(value))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const who = [setters(podType !== undefined, bad), noted.length === 0 ? '' : plural(noted.length, 'annotation')];
  const values = [...sorted([podType, ...containers.map(typeOf)].filter(isText)), ...noted];
  if (values.length === 0) return undefined;
  const by = who.filter((text) => text !== '').join(' and ');
  return {
    reason: plural(values.length, 'forbidden AppArmor profile'),
    detail: `${by} must not set AppArmor profile type to ${quoted(values)}`,
  };
};

export function seLinuxOptions(allowedTypes: readonly string[]): CheckPod {
  const isBad = (context: Context): boolean => {
    const { type = '', user = '', role = '' } = context?.seLinuxOptions ?? {};
    return (type !== '' && !allowedTypes.includes(type)) || user !== '' || role !== '';
  };
  return ({ spec, containers }) => {
    const bad = namesWhere(containers, ({ securityContext }) => isBad(securityContext));
    const byPod = isBad(spec.securityContext);
    if (!byPod && bad.length === 0) return undefined;
    const all = [spec.securityContext, ...containers.map(({ securityContext }) => securityContext)].map(
      (context) => context?.seLinuxOptions,
    );
    const types = sorted(all.map((options) => options?.type ?? '')).filter(
      (type) => type !== '' && !allowedTypes.includes(type),
    );
    const faults = [
      ...(types.length === 0 ? [] : [`${plural(types.length, 'type')} ${quoted(types)}`]),
      ...(all.some((options) => (options?.user ?? '') !== '') ? ['user may not be set'] : []),
      ...(all.some((options) => (options?.role ?? '') !== '') ? ['role may not be set'] : []),
    ];
    const detail = `${setters(byPod, bad)} set forbidden securityContext.seLinuxOptions: ${faults.join('; ')}`;
    return { reason: 'seLinuxOptions', detail };
  };
}

const podSeccomp = 'seccomp.security.alpha.kubernetes.io/pod';
const containerSeccomp = 'container.seccomp.security.alpha.kubernetes.io/';

/** Before v1.19 seccomp profiles were annotations. */
export const seccompAnnotations: CheckPod = ({ annotations, containers }) => {
  const keys = [podSeccomp, ...containers.map(({ name }) => `${containerSeccomp}${name}`)];
  const bad = keys
    .filter((key) => annotations[key] !== undefined)
    .filter((key) => !/^(runtime\/default$|docker\/default$|localhost\/)/.test(annotations[key]!))
    .map((key) => `${key}=${JSON.stringify(annotations[key])}`);
  if (bad.length === 0) return undefined;
  const detail = `forbidden ${plural(bad.length, 'annotation')} ${sorted(bad).join(', ')}`;
  return { reason: 'seccompProfile', detail };
};

/** Profiles that are set have to be good ones; where one is required, every container has it from somewhere. */
export function seccompProfile({ required }: { readonly required: boolean }): CheckPod {
  const reason = 'seccompProfile';
  return ({ spec, containers }) => {
    const podProfile = spec.securityContext?.seccompProfile;
    const typeOf = ({ securityContext }: Container): string | undefined => badType(securityContext?.seccompProfile);
    const bad = namesWhere(containers, (container) => typeOf(container) !== undefined);
    const values = sorted([badType(podProfile), ...containers.map(typeOf)].filter(isText));
    if (values.length > 0) {
      const who = setters(badType(podProfile) !== undefined, bad);
      return { reason, detail: `${who} must not set securityContext.seccompProfile.type to ${quoted(values)}` };
    }
    if (!required || podProfile !== undefined) return undefined;
    const without = namesWhere(containers, ({ securityContext }) => securityContext?.seccompProfile === undefined);
    if (without.length === 0) return undefined;
    const wanted = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
    return { reason, detail: `pod or ${namedContainers(without)} ${wanted}` };
  };
}
