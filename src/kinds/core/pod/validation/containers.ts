import type * as core from '#kinds/generated/types/core_v1.ts';
import { each, invalidAll, oneOf } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1123Problems } from '#machinery/names.ts';
import { validateEnvironment } from './environment.ts';
import { validateContainerPorts, validateLifecycle, validateProbes } from './handlers.ts';
import { validateResources } from './resources.ts';
import { validateContainerSecurity } from './security.ts';
import { descendingPath, type KnownVolumes, noBacksteps } from './volumes.ts';

/** What containers refer to in their pod. */
export interface PodFacts {
  readonly volumes: KnownVolumes;
  readonly claims: ReadonlySet<string>;
  readonly gracePeriod: number | undefined;
  readonly hostUsers: boolean;
  readonly restartPolicy: string | undefined;
}

const maximumRestartRules = 20;

export function validateContainers(
  containers: readonly core.Container[] | undefined,
  path: string,
  pod: PodFacts,
): FieldError[] {
  if ((containers ?? []).length === 0) return [fieldError.required(path)];
  const names = new Set<string>();
  const errors = each(containers, path, (container, at) => {
    const found = validateCommon(container, at, pod);
    if (names.has(container.name)) found.push(fieldError.duplicate(`${at}.name`, container.name));
    names.add(container.name);
    found.push(...validateLifecycle(container.lifecycle, `${at}.lifecycle`, pod.gracePeriod));
    found.push(...validateProbes(container, at));
    const rules = container.restartPolicyRules ?? [];
    if (container.restartPolicy === undefined) {
      const detail = 'must specify restartPolicy when restart rules are used';
      if (rules.length > 0) found.push(fieldError.required(`${at}.restartPolicy`, detail));
    } else found.push(...oneOf(container.restartPolicy, ['Always', 'Never', 'OnFailure'], `${at}.restartPolicy`));
    if (rules.length > maximumRestartRules) {
      found.push(fieldError.tooMany(`${at}.restartPolicyRules`, rules.length, maximumRestartRules));
    }
    return found;
  });
  return [...errors, ...hostPortConflicts(containers ?? [], path)];
}

function hostPortConflicts(containers: readonly core.Container[], path: string): FieldError[] {
  const taken = new Set<string>();
  return each(containers, path, (container, at) =>
    each(container.ports, `${at}.ports`, ({ hostPort = 0, hostIP = '', protocol }, port) => {
      if (hostPort === 0) return [];
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(key)) return [fieldError.duplicate(`${port}.hostPort`, key)];
      taken.add(key);
      return [];
    }),
  );
}

const forbiddenInInit = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;

export function validateInitContainers(
  containers: readonly core.Container[] | undefined,
  regular: readonly core.Container[],
  path: string,
  pod: PodFacts,
): FieldError[] {
  const names = new Set(regular.map((container) => container.name));
  return each(containers, path, (container, at) => {
    const errors = validateCommon(container, at, pod);
    if (names.has(container.name)) errors.push(fieldError.duplicate(`${at}.name`, container.name));
    names.add(container.name);
    errors.push(...hostPortConflicts([container], path));
    if (container.restartPolicy === 'Always') {
      errors.push(...validateLifecycle(container.lifecycle, `${at}.lifecycle`, pod.gracePeriod));
      errors.push(...validateProbes(container, at));
      return errors;
    }
    errors.push(...oneOf(container.restartPolicy, ['Always', 'Never', 'OnFailure'], `${at}.restartPolicy`));
    for (const field of forbiddenInInit) {
      if (container[field] === undefined) continue;
      errors.push(
        fieldError.forbidden(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always'),
      );
    }
    return errors;
  });
}

const forbiddenInEphemeral = [
  'ports',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
] as const;

export function validateEphemeralContainers(spec: core.PodSpec, path: string, pod: PodFacts): FieldError[] {
  const others = new Set([...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name));
  const names = new Set(others);
  return each(spec.ephemeralContainers, path, (container, at) => {
    const errors = validateCommon(container as core.Container, at, pod);
    if (names.has(container.name)) errors.push(fieldError.duplicate(`${at}.name`, container.name));
    names.add(container.name);
    const target = container.targetContainerName ?? '';
    if (target !== '' && !others.has(target)) errors.push(fieldError.notFound(`${at}.targetContainerName`, target));
    for (const field of forbiddenInEphemeral) {
      if (container[field] === undefined) continue;
      errors.push(fieldError.forbidden(`${at}.${field}`, 'cannot be set for an Ephemeral Container'));
    }
    if (Object.keys(container.resources ?? {}).length > 0) {
      errors.push(fieldError.forbidden(`${at}.resources`, 'cannot be set for an Ephemeral Container'));
    }
    for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
      for (const field of ['subPath', 'subPathExpr'] as const) {
        if ((mount[field] ?? '') === '') continue;
        errors.push(
          fieldError.forbidden(`${at}.volumeMounts[${index}].${field}`, 'cannot be set for an Ephemeral Container'),
        );
      }
    }
    return errors;
  });
}

function validateCommon(container: core.Container, path: string, pod: PodFacts): FieldError[] {
  const { name = '', image = '' } = container;
  const errors =
    name === '' ? [fieldError.required(`${path}.name`)] : invalidAll(`${path}.name`, name, label1123Problems(name));
  if (image === '') errors.push(fieldError.required(`${path}.image`));
  errors.push(
    ...oneOf(container.terminationMessagePolicy, ['FallbackToLogsOnError', 'File'], `${path}.terminationMessagePolicy`),
    ...validateContainerPorts(container.ports, `${path}.ports`),
    ...validateEnvironment(container, path),
    ...validateMounts(container, path, pod.volumes),
    ...validateDevices(container, path, pod.volumes),
    ...oneOf(container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never'], `${path}.imagePullPolicy`),
    ...validateResources(container.resources, pod.claims, `${path}.resources`),
    ...validateResizePolicy(container, `${path}.resizePolicy`, pod.restartPolicy),
    ...validateContainerSecurity(container.securityContext, `${path}.securityContext`, pod.hostUsers),
  );
  return errors;
}

function validateResizePolicy(
  container: core.Container,
  path: string,
  podRestartPolicy: string | undefined,
): FieldError[] {
  const names = new Set<string>();
  return (container.resizePolicy ?? []).flatMap(({ resourceName, restartPolicy }, index) => {
    const errors = names.has(resourceName) ? [fieldError.duplicate(`${path}[${index}]`, resourceName)] : [];
    names.add(resourceName);
    errors.push(...oneOf(resourceName, ['cpu', 'memory'], path));
    errors.push(...oneOf(restartPolicy, ['NotRequired', 'RestartContainer'], path));
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      const detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
      errors.push(fieldError.invalid(path, restartPolicy, detail));
    }
    return errors;
  });
}

function validateMounts(container: core.Container, path: string, volumes: KnownVolumes): FieldError[] {
  const devices = new Set((container.volumeDevices ?? []).map(({ name }) => name));
  const paths = new Set<string>();
  return each(container.volumeMounts, `${path}.volumeMounts`, (mount, at) => {
    const { name = '', mountPath = '' } = mount;
    const errors: FieldError[] = [];
    if (name === '') errors.push(fieldError.required(`${at}.name`));
    if (!volumes.has(name)) errors.push(fieldError.notFound(`${at}.name`, name));
    if (mountPath === '') errors.push(fieldError.required(`${at}.mountPath`));
    if (paths.has(mountPath)) errors.push(fieldError.invalid(`${at}.mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
    if (devices.has(name))
      errors.push(fieldError.invalid(`${at}.name`, name, 'must not already exist in volumeDevices'));
    if ((mount.subPath ?? '') !== '') errors.push(...descendingPath(mount.subPath!, `${path}.volumeMounts.subPath`));
    if ((mount.subPathExpr ?? '') !== '') {
      if ((mount.subPath ?? '') !== '') {
        const detail = 'subPathExpr and subPath are mutually exclusive';
        errors.push(fieldError.invalid(`${at}.subPathExpr`, mount.subPathExpr, detail));
      }
      errors.push(...descendingPath(mount.subPathExpr!, `${path}.volumeMounts.subPathExpr`));
    }
    return [...errors, ...validatePropagation(mount, container, at)];
  });
}

function validatePropagation(mount: core.VolumeMount, container: core.Container, path: string): FieldError[] {
  const { mountPropagation: propagation, recursiveReadOnly } = mount;
  const modes = ['Bidirectional', 'HostToContainer', 'None'];
  const errors = oneOf(propagation, modes, `${path}.mountPropagation`);
  if (propagation === 'Bidirectional' && container.securityContext?.privileged !== true) {
    const detail = 'Bidirectional mount propagation is available only to privileged containers';
    errors.push(fieldError.forbidden(`${path}.mountPropagation`, detail));
  }
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return errors;
  const at = `${path}.recursiveReadOnly`;
  errors.push(...oneOf(recursiveReadOnly, ['Disabled', 'Enabled', 'IfPossible'], at));
  if (mount.readOnly !== true) errors.push(fieldError.forbidden(at, 'may only be specified when readOnly is true'));
  if (propagation !== undefined && propagation !== 'None') {
    errors.push(fieldError.forbidden(at, 'may only be specified when mountPropagation is None or not specified'));
  }
  return errors;
}

function validateDevices(container: core.Container, path: string, volumes: KnownVolumes): FieldError[] {
  const names = new Set<string>();
  const paths = new Set<string>();
  return each(container.volumeDevices, `${path}.volumeDevices`, ({ name = '', devicePath = '' }, at) => {
    const errors: FieldError[] = [];
    const volume = volumes.get(name);
    if (name === '') errors.push(fieldError.required(`${at}.name`));
    if (names.has(name)) errors.push(fieldError.invalid(`${at}.name`, name, 'must be unique'));
    if (volume === undefined) errors.push(fieldError.notFound(`${at}.name`, name));
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
      const detail = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
      errors.push(fieldError.invalid(`${at}.name`, name, detail));
    }
    if (devicePath === '') errors.push(fieldError.required(`${at}.devicePath`));
    else if (paths.has(devicePath)) errors.push(fieldError.invalid(`${at}.devicePath`, devicePath, 'must be unique'));
    else if (noBacksteps(devicePath, at).length > 0) {
      errors.push(fieldError.invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    }
    names.add(name);
    paths.add(devicePath);
    return errors;
  });
}
