import type * as core from '#kinds/generated/types/core_v1.ts';
import { each, invalidAll, oneOf, requiredOneOf } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1123Problems } from '#machinery/names.ts';
import { emptiedFields } from '#machinery/sent-empty.ts';
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
const maximumExitCodes = 255;

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
    found.push(...validateLifecycle(container.lifecycle, `${at}.lifecycle`, pod));
    found.push(...validateProbes(container, at));
    return [...found, ...validateRestart(container, at)];
  });
  return [...errors, ...hostPortConflicts(containers ?? [], path)];
}

function validateRestart({ restartPolicy, restartPolicyRules }: core.Container, path: string): FieldError[] {
  const rules = restartPolicyRules ?? [];
  const detail = 'must specify restartPolicy when restart rules are used';
  if (restartPolicy === undefined && rules.length === 0) return [];
  const errors =
    restartPolicy === undefined
      ? [fieldError.required(`${path}.restartPolicy`, detail)]
      : oneOf(restartPolicy, ['Always', 'Never', 'OnFailure'], `${path}.restartPolicy`);
  if (rules.length > maximumRestartRules)
    errors.push(fieldError.tooMany(`${path}.restartPolicyRules`, rules.length, maximumRestartRules));
  return [...errors, ...each(rules, `${path}.restartPolicyRules`, validateRestartRule)];
}

function validateRestartRule({ action, exitCodes }: core.ContainerRestartRule, path: string): FieldError[] {
  const errors = oneOf(action ?? '', ['Restart', 'RestartAllContainers'], `${path}.action`);
  const at = `${path}.exitCodes`;
  if (exitCodes === undefined) return [...errors, fieldError.required(at, 'must be specified')];
  errors.push(...oneOf(exitCodes.operator ?? '', ['In', 'NotIn'], `${at}.operator`));
  const count = exitCodes.values?.length ?? 0;
  if (count > maximumExitCodes) errors.push(fieldError.tooMany(`${at}.values`, count, maximumExitCodes));
  return errors;
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
    const errors = [...validateCommon(container, at, pod), ...validateInitRestart(container, at)];
    if (names.has(container.name)) errors.push(fieldError.duplicate(`${at}.name`, container.name));
    else if ((container.name ?? '') !== '') names.add(container.name);
    errors.push(...hostPortConflicts([container], path));
    if (container.restartPolicy === 'Always') {
      errors.push(...validateLifecycle(container.lifecycle, `${at}.lifecycle`, pod));
      errors.push(...validateProbes(container, at));
      return errors;
    }
    for (const field of forbiddenInInit) {
      if (container[field] === undefined) continue;
      errors.push(
        fieldError.forbidden(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always'),
      );
    }
    for (const [index, { restartPolicy }] of (container.resizePolicy ?? []).entries()) {
      if (restartPolicy !== 'RestartContainer') continue;
      const detail = "must not be set to 'RestartContainer' for non-sidecar initContainers";
      errors.push(fieldError.invalid(`${at}.resizePolicy[${index}].restartPolicy`, restartPolicy, detail));
    }
    return errors;
  });
}

/** Without a policy only rules are missed; with one, it is what it is for other containers. */
function validateInitRestart(container: core.Container, path: string): FieldError[] {
  if (container.restartPolicy !== undefined) return validateRestart(container, path);
  if ((container.restartPolicyRules ?? []).length === 0) return [];
  return [fieldError.required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used')];
}

/** In the order in which upstream looks at them. */
const forbiddenInEphemeral = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const;

export function validateEphemeralContainers(spec: core.PodSpec, path: string, pod: PodFacts): FieldError[] {
  const others = new Set([...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name));
  const names = new Set(others);
  return each(spec.ephemeralContainers, path, (container, at) => {
    const errors = validateCommon(container as core.Container, at, pod);
    errors.push(...validateImage(container.image ?? '', `${at}.image`));
    if (names.has(container.name)) errors.push(fieldError.duplicate(`${at}.name`, container.name));
    names.add(container.name);
    const target = container.targetContainerName ?? '';
    if (target !== '' && !others.has(target)) errors.push(fieldError.notFound(`${at}.targetContainerName`, target));
    const sent = emptiedFields(container);
    for (const field of forbiddenInEphemeral) {
      const value = container[field] ?? sent[field];
      if (value === undefined || (field === 'resources' && isEmptyAsSent(value ?? {}))) continue;
      errors.push(fieldError.forbidden(`${at}.${field}`, 'cannot be set for an Ephemeral Container'));
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

/** Not even with something in it that is empty itself. */
function isEmptyAsSent(value: object): boolean {
  return Object.keys(value).length === 0 && Object.keys(emptiedFields(value)).length === 0;
}

/** Only templates may still have it with spaces around. */
export function validateImage(image: string, path: string): FieldError[] {
  return image === image.trim()
    ? []
    : [fieldError.invalid(path, image, 'must not have leading or trailing whitespace')];
}

function validateCommon(container: core.Container, path: string, pod: PodFacts): FieldError[] {
  const { name = '', image = '' } = container;
  const errors =
    name === '' ? [fieldError.required(`${path}.name`)] : invalidAll(`${path}.name`, name, label1123Problems(name));
  if (image === '') errors.push(fieldError.required(`${path}.image`));
  errors.push(
    ...validateMessagePolicy(container.terminationMessagePolicy, `${path}.terminationMessagePolicy`),
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

function validateMessagePolicy(policy: string | undefined, path: string): FieldError[] {
  if (policy === undefined || policy === '') return [fieldError.required(path)];
  const known = ['File', 'FallbackToLogsOnError'];
  return known.includes(policy) ? [] : [fieldError.notSupportedInOrder(path, policy, known)];
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
    errors.push(...requiredOneOf(resourceName, ['cpu', 'memory'], path));
    errors.push(...requiredOneOf(restartPolicy, ['NotRequired', 'RestartContainer'], path));
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      const detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
      errors.push(fieldError.invalid(path, restartPolicy, detail));
    }
    return errors;
  });
}

function validateMounts(container: core.Container, path: string, volumes: KnownVolumes): FieldError[] {
  const devices = new Set((container.volumeDevices ?? []).map(({ name }) => name));
  const devicePaths = new Set((container.volumeDevices ?? []).map(({ devicePath }) => devicePath));
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
    if (devicePaths.has(mountPath)) {
      const detail = 'must not already exist as a path in volumeDevices';
      errors.push(fieldError.invalid(`${at}.mountPath`, mountPath, detail));
    }
    if ((mount.subPath ?? '') !== '') errors.push(...descendingPath(mount.subPath!, `${path}.volumeMounts.subPath`));
    if ((mount.subPathExpr ?? '') !== '') {
      if ((mount.subPath ?? '') !== '') {
        const detail = 'subPathExpr and subPath are mutually exclusive';
        errors.push(fieldError.invalid(`${at}.subPathExpr`, mount.subPathExpr, detail));
      }
      errors.push(...descendingPath(mount.subPathExpr!, `${path}.volumeMounts.subPathExpr`));
    }
    // Upstream says these without the place of the mount.
    return [...errors, ...validatePropagation(mount, container, `${path}.volumeMounts`)];
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
  const known = oneOf(recursiveReadOnly, ['Disabled', 'Enabled', 'IfPossible'], at);
  if (known.length > 0) return [...errors, ...known];
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
    if (paths.has(devicePath)) errors.push(fieldError.invalid(`${at}.devicePath`, devicePath, 'must be unique'));
    if (noBacksteps(devicePath, at).length > 0) {
      errors.push(fieldError.invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    } else paths.add(devicePath);
    const mounts = container.volumeMounts ?? [];
    if (mounts.some((mount) => mount.name === name))
      errors.push(fieldError.invalid(`${at}.name`, name, 'must not already exist in volumeMounts'));
    if (mounts.some(({ mountPath }) => mountPath === devicePath)) {
      const detail = 'must not already exist as a path in volumeMounts';
      errors.push(fieldError.invalid(`${at}.devicePath`, devicePath, detail));
    }
    if (name !== '') names.add(name);
    return errors;
  });
}
