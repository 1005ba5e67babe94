import type { Container, Volume } from '#kinds/generated/types/core_v1.ts';
import { procMount } from './baseline.ts';
import {
  type Check,
  type CheckPod,
  exceptFor,
  hasUserNamespace,
  isWindows,
  namedContainers,
  namesWhere,
  plural,
  quoted,
  setters,
  sorted,
} from './check.ts';
import { seccompProfile } from './profiles.ts';

const allowPrivilegeEscalation: CheckPod = ({ containers }) => {
  const bad = namesWhere(containers, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  if (bad.length === 0) return undefined;
  const detail = `${namedContainers(bad)} must set securityContext.allowPrivilegeEscalation=false`;
  return { reason: 'allowPrivilegeEscalation != false', detail };
};

const capabilities: CheckPod = ({ containers }) => {
  const added = ({ securityContext }: Container): readonly string[] =>
    (securityContext?.capabilities?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE');
  const keeping = namesWhere(
    containers,
    ({ securityContext }) => securityContext?.capabilities?.drop?.includes('ALL') !== true,
  );
  const adding = namesWhere(containers, (container) => added(container).length > 0);
  const names = quoted(sorted(containers.flatMap(added)));
  const faults = [
    ...(keeping.length === 0 ? [] : [`${namedContainers(keeping)} must set securityContext.capabilities.drop=["ALL"]`]),
    ...(adding.length === 0
      ? []
      : [`${namedContainers(adding)} must not include ${names} in securityContext.capabilities.add`]),
  ];
  return faults.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: faults.join('; ') };
};

const goodVolumes: readonly (keyof Volume)[] = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

const volumes: CheckPod = ({ spec }) => {
  const bad = (spec.volumes ?? []).filter((volume) => !goodVolumes.some((source) => volume[source] !== undefined));
  if (bad.length === 0) return undefined;
  const types = sorted(bad.map((volume) => Object.keys(volume).find((field) => field !== 'name') ?? 'unknown'));
  const who = `${plural(bad.length, 'volume')} ${quoted(bad.map(({ name }) => name))}`;
  const what = `${plural(types.length, 'restricted volume type')} ${quoted(types)}`;
  return { reason: 'restricted volume types', detail: `${who} ${plural(bad.length, 'uses', 'use')} ${what}` };
};

const runAsNonRoot: CheckPod = ({ spec, containers }) => {
  const reason = 'runAsNonRoot != true';
  const byPod = spec.securityContext?.runAsNonRoot;
  const said = ({ securityContext }: Container): boolean | undefined => securityContext?.runAsNonRoot;
  const bad = namesWhere(containers, (container) => said(container) === false);
  if (byPod === false || bad.length > 0)
    return { reason, detail: `${setters(byPod === false, bad)} must not set securityContext.runAsNonRoot=false` };
  const silent = byPod === true ? [] : namesWhere(containers, (container) => said(container) === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${namedContainers(silent)} must set securityContext.runAsNonRoot=true` };
};

const runAsUser: CheckPod = ({ spec, containers }) => {
  const byPod = spec.securityContext?.runAsUser === 0;
  const bad = namesWhere(containers, ({ securityContext }) => securityContext?.runAsUser === 0);
  if (!byPod && bad.length === 0) return undefined;
  return { reason: 'runAsUser=0', detail: `${setters(byPod, bad)} must not set runAsUser=0` };
};

const seccomp = seccompProfile({ required: true });

/** Best practice, at the price of some software that cannot run so. */
export const restrictedChecks: readonly Check[] = [
  {
    id: 'allowPrivilegeEscalation',
    level: 'restricted',
    versions: [
      { since: 8, check: allowPrivilegeEscalation },
      { since: 25, check: exceptFor(isWindows, allowPrivilegeEscalation) },
    ],
  },
  {
    id: 'capabilities_restricted',
    level: 'restricted',
    versions: [
      { since: 22, check: capabilities },
      { since: 25, check: exceptFor(isWindows, capabilities) },
    ],
    replaces: 'capabilities_baseline',
  },
  {
    id: 'procMount_restricted',
    level: 'restricted',
    versions: [{ since: 35, check: procMount }],
    replaces: 'procMount',
  },
  {
    id: 'restrictedVolumes',
    level: 'restricted',
    versions: [{ since: 0, check: volumes }],
    replaces: 'hostPathVolumes',
  },
  {
    id: 'runAsNonRoot',
    level: 'restricted',
    versions: [
      { since: 0, check: runAsNonRoot },
      { since: 35, check: exceptFor(hasUserNamespace, runAsNonRoot) },
    ],
  },
  {
    id: 'runAsUser',
    level: 'restricted',
    versions: [
      { since: 23, check: runAsUser },
      { since: 35, check: exceptFor(hasUserNamespace, runAsUser) },
    ],
  },
  {
    id: 'seccompProfile_restricted',
    level: 'restricted',
    versions: [
      { since: 19, check: seccomp },
      { since: 25, check: exceptFor(isWindows, seccomp) },
    ],
    replaces: 'seccompProfile_baseline',
  },
];
