import { ApiError, type Status, type StatusReason } from '#machinery/errors.ts';
import { parseShallowJson } from '#machinery/json.ts';
import type { Json } from '#machinery/meta.ts';
import type { WebhookType } from './hooks.ts';
import type { ReviewVersion } from './review.ts';

/** What a webhook answered, checked. */
export interface Answer {
  readonly allowed: boolean;
  readonly status: Partial<Status> | undefined;
  /** JSON Patch operations; undefined when the object is to stay as it is. */
  readonly patch: Json | undefined;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

interface Review {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly response?: {
    readonly uid?: string;
    readonly allowed?: boolean;
    readonly status?: Partial<Status>;
    readonly patch?: string;
    readonly patchType?: string;
    readonly warnings?: readonly string[];
    readonly auditAnnotations?: Readonly<Record<string, string>>;
  };
}

/** Reads the AdmissionReview that came back. @throws Error in upstream's words when it does not answer the question. */
export function readAnswer(
  body: Json,
  expected: { readonly version: ReviewVersion; readonly type: WebhookType; readonly uid: string },
): Answer {
  const { version, type, uid } = expected;
  const review = (body === null || typeof body !== 'object' || Array.isArray(body) ? {} : body) as Review;
  const { response } = review;
  if (response === undefined || response === null) throw new Error('webhook response was absent');
  if (version === 'v1') {
    if (response.uid !== uid)
      throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`);
    const wanted = 'admission.k8s.io/v1, Kind=AdmissionReview';
    const got = `${review.apiVersion ?? ''}, Kind=${review.kind ?? ''}`;
    if (got !== wanted) throw new Error(`expected webhook response of ${wanted}, got ${got}`);
    checkPatchFields(response.patch ?? '', response.patchType, type);
  }
  const patchText = type === 'mutating' ? (response.patch ?? '') : '';
  if (patchText !== '' && (response.patchType ?? 'JSONPatch') !== 'JSONPatch')
    throw new Error(`unsupported patch type ${JSON.stringify(response.patchType)}`);
  return {
    allowed: response.allowed === true,
    status: response.status,
    patch: patchText === '' ? undefined : parsePatch(patchText),
    warnings: response.warnings ?? [],
    auditAnnotations: response.auditAnnotations ?? {},
  };
}

function checkPatchFields(patch: string, patchType: string | undefined, type: WebhookType): void {
  if (type === 'validating') {
    if (patch !== '') throw new Error('validating webhook may not return response.patch');
    if (patchType !== undefined) throw new Error('validating webhook may not return response.patchType');
    return;
  }
  if (patch !== '' && patchType === undefined)
    throw new Error('webhook returned response.patch but not response.patchType');
  if (patch === '' && patchType !== undefined)
    throw new Error('webhook returned response.patchType but not response.patch');
  if (patchType === '') throw new Error('webhook returned invalid response.patchType of ""');
}

function parsePatch(base64: string): Json | undefined {
  const patch = parseShallowJson(Buffer.from(base64, 'base64'));
  return Array.isArray(patch) && patch.length === 0 ? undefined : patch;
}

/** The refusal that the client sees: the webhook's own status, saying whose it is. */
export function denial(webhookName: string, status: Partial<Status> | undefined): ApiError {
  const { code = 0, reason = '', message = '', details } = status ?? {};
  const by = `admission webhook ${JSON.stringify(webhookName)} denied the request`;
  const said = message !== '' ? message : reason;
  const text = said === '' ? `${by} without explanation` : `${by}: ${said}`;
  return new ApiError(code < 400 ? 400 : code, reason as StatusReason, text, details);
}
