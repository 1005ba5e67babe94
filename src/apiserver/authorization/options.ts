/** Who decides what may be done; kube-apiserver's flags of the same meaning stand beside each. */
export interface AuthorizationOptions {
  /** In the order in which they are asked (`--authorization-mode`); Node and RBAC unless set. */
  readonly modes?: readonly string[];
  /** Path of an AuthorizationConfiguration, followed as it changes (`--authorization-config`). */
  readonly configFile?: string;
  /** Path of a file of ABAC policies (`--authorization-policy-file`). */
  readonly policyFile?: string;
  readonly webhook?: AuthorizationWebhookOptions;
}

/** A webhook that is asked with SubjectAccessReviews (`--authorization-webhook-*`). */
export interface AuthorizationWebhookOptions {
  /** Path of a kubeconfig that leads to the webhook. */
  readonly configFile: string;
  readonly name?: string;
  readonly version?: 'v1' | 'v1beta1';
  /** 5 minutes unless set; 0 remembers nothing. */
  readonly authorizedTtlMs?: number;
  /** 30 seconds unless set. */
  readonly unauthorizedTtlMs?: number;
  /** 30 seconds unless set. */
  readonly timeoutMs?: number;
  /** What a webhook that cannot be asked means. */
  readonly failurePolicy?: 'NoOpinion' | 'Deny';
  /** CEL conditions on `request`; the webhook is asked only where all hold. */
  readonly matchConditions?: readonly string[];
}

export const authorizerTypes = ['ABAC', 'AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC', 'Webhook'] as const;
