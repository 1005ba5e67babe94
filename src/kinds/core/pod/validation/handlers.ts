import type * as core from '#kinds/generated/types/core_v1.ts';
import { each, invalidAll, nonNegative, oneOf } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { headerNameProblems, portNameProblems, portNumberProblems } from '#machinery/names.ts';

type Handler = core.LifecycleHandler & Pick<core.Probe, 'grpc'>;

const handlerTypes = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

function validateHandler(handler: Handler, path: string, gracePeriod: number | undefined): FieldError[] {
  const [first, ...others] = handlerTypes.filter((type) => handler[type] !== undefined);
  if (first === undefined) return [fieldError.required(path, 'must specify a handler type')];
  return [
    ...validateHandlerOf(first, handler, path, gracePeriod),
    ...others.map((type) => fieldError.forbidden(`${path}.${type}`, 'may not specify more than 1 handler type')),
  ];
}

function validateHandlerOf(
  type: (typeof handlerTypes)[number],
  handler: Handler,
  path: string,
  gracePeriod: number | undefined,
): FieldError[] {
  switch (type) {
    case 'exec':
      return (handler.exec?.command ?? []).length === 0 ? [fieldError.required(`${path}.exec.command`)] : [];
    case 'httpGet':
      return validateHttpGet(handler.httpGet!, `${path}.httpGet`);
    case 'tcpSocket':
      return validatePort(handler.tcpSocket!.port, `${path}.tcpSocket.port`);
    case 'grpc':
      return invalidAll(`${path}.grpc.port`, handler.grpc!.port, portNumberProblems(handler.grpc!.port));
    case 'sleep':
      return validateSleep(handler.sleep!.seconds ?? 0, `${path}.sleep`, gracePeriod);
  }
}

function validateSleep(seconds: number, path: string, gracePeriod: number | undefined): FieldError[] {
  if (gracePeriod === undefined || (seconds >= 0 && seconds <= gracePeriod)) return [];
  const detail = `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriod})`;
  return [fieldError.invalid(path, seconds, detail)];
}

function validateHttpGet(action: core.HTTPGetAction, path: string): FieldError[] {
  return [
    ...((action.path ?? '') === '' ? [fieldError.required(`${path}.path`)] : []),
    ...validatePort(action.port, `${path}.port`),
    ...oneOf(action.scheme, ['HTTP', 'HTTPS'], `${path}.scheme`),
    ...(action.httpHeaders ?? []).flatMap(({ name }) =>
      invalidAll(`${path}.httpHeaders`, name, headerNameProblems(name)),
    ),
  ];
}

/** A port by number or by the name that a container gave it. */
export function validatePort(port: number | string, path: string): FieldError[] {
  return invalidAll(path, port, typeof port === 'number' ? portNumberProblems(port) : portNameProblems(port));
}

export function validateLifecycle(
  lifecycle: core.Lifecycle | undefined,
  path: string,
  { gracePeriod }: { readonly gracePeriod: number | undefined },
): FieldError[] {
  const { postStart, preStop } = lifecycle ?? {};
  return [
    ...(postStart === undefined ? [] : validateHandler(postStart, `${path}.postStart`, gracePeriod)),
    ...(preStop === undefined ? [] : validateHandler(preStop, `${path}.preStop`, gracePeriod)),
  ];
}

/** All three probes of a container. */
export function validateProbes(container: core.Container, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const kind of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const probe = container[kind];
    if (probe === undefined) continue;
    const at = `${path}.${kind}`;
    errors.push(...validateProbe(probe, at));
    if (kind === 'readinessProbe') {
      if (probe.terminationGracePeriodSeconds === undefined) continue;
      const seconds = probe.terminationGracePeriodSeconds;
      errors.push(
        fieldError.invalid(`${at}.terminationGracePeriodSeconds`, seconds, 'must not be set for readinessProbes'),
      );
    } else if ((probe.successThreshold ?? 1) !== 1) {
      errors.push(fieldError.invalid(`${at}.successThreshold`, probe.successThreshold, 'must be 1'));
    }
  }
  return errors;
}

function validateProbe(probe: core.Probe, path: string): FieldError[] {
  const errors = validateHandler(probe, path, undefined);
  for (const field of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const) {
    errors.push(...nonNegative(probe[field], `${path}.${field}`));
  }
  const seconds = probe.terminationGracePeriodSeconds;
  if (seconds !== undefined && seconds <= 0) {
    errors.push(fieldError.invalid(`${path}.terminationGracePeriodSeconds`, seconds, 'must be greater than 0'));
  }
  return errors;
}

export function validateContainerPorts(ports: readonly core.ContainerPort[] | undefined, path: string): FieldError[] {
  const names = new Set<string>();
  return each(ports, path, ({ name = '', containerPort = 0, hostPort = 0, protocol = '' }, at) => {
    const errors: FieldError[] = [];
    if (name !== '') {
      const problems = portNameProblems(name);
      errors.push(...invalidAll(`${at}.name`, name, problems));
      if (problems.length === 0 && names.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name));
      names.add(name);
    }
    if (containerPort === 0) errors.push(fieldError.required(`${at}.containerPort`));
    else errors.push(...invalidAll(`${at}.containerPort`, containerPort, portNumberProblems(containerPort)));
    if (hostPort !== 0) errors.push(...invalidAll(`${at}.hostPort`, hostPort, portNumberProblems(hostPort)));
    if (protocol === '') errors.push(fieldError.required(`${at}.protocol`));
    else errors.push(...oneOf(protocol, ['SCTP', 'TCP', 'UDP'], `${at}.protocol`));
    return errors;
  });
}
