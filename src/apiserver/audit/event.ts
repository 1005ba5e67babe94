import type { Status } from '#machinery/errors.ts';
import type { AuditLevel, AuditStage } from './policy.ts';

export interface AuditUser {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** One stage of one request (audit.k8s.io/v1 Event). */
export interface AuditEvent {
  readonly kind: 'Event';
  readonly apiVersion: 'audit.k8s.io/v1';
  readonly level: AuditLevel;
  readonly auditID: string;
  readonly stage: AuditStage;
  readonly requestURI: string;
  readonly verb: string;
  readonly user: AuditUser;
  readonly impersonatedUser?: AuditUser;
  readonly sourceIPs: readonly string[];
  readonly userAgent?: string;
  readonly objectRef?: Readonly<Record<string, string>>;
  readonly responseStatus?: Partial<Omit<Status, 'kind' | 'apiVersion'>>;
  readonly requestObject?: unknown;
  readonly responseObject?: unknown;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An event could not be stored, and its request must not be served for that (`blocking-strict`). */
export class AuditFailure extends Error {
  override readonly name = 'AuditFailure';

  constructor() {
    super('failed to store audit event');
  }
}

/** Where events go. */
export interface AuditBackend {
  /** A promise where the request has to wait until the event is where it belongs. @throws AuditFailure */
  write(event: AuditEvent): void | Promise<void>;
  /** Writes what waits, and ends. */
  close(): Promise<void>;
}

/** One line of `--audit-log-format=legacy`. */
export function legacyLine(event: AuditEvent): string {
  const { auditID, stage, sourceIPs, verb, user, impersonatedUser, userAgent = '', objectRef, requestURI } = event;
  const groups = (of: AuditUser | undefined): string =>
    JSON.stringify(of === undefined ? '<lookup>' : of.groups.map((group) => JSON.stringify(group)).join(','));
  const fields: readonly (readonly [string, string])[] = [
    ['id', JSON.stringify(auditID)],
    ['stage', JSON.stringify(stage)],
    ['ip', JSON.stringify(sourceIPs[0] ?? '')],
    ['method', JSON.stringify(verb)],
    ['user', JSON.stringify(user.username)],
    ['groups', groups(user)],
    ['as', JSON.stringify(impersonatedUser?.username ?? '<self>')],
    ['asgroups', groups(impersonatedUser)],
    ['user-agent', JSON.stringify(userAgent)],
    ['namespace', JSON.stringify(objectRef?.['namespace'] ?? '<none>')],
    ['uri', JSON.stringify(requestURI)],
    ['response', JSON.stringify(String(event.responseStatus?.code ?? '<deferred>'))],
  ];
  return `${event.stageTimestamp} AUDIT: ${fields.map(([name, value]) => `${name}=${value}`).join(' ')}`;
}
