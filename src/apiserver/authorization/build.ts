import { readFileSync } from 'node:fs';
import type { Environment } from '#base/environment.ts';
import { followFile } from '../followed-file.ts';
import type { UserInfo } from '../registry/operation.ts';
import type { ResourceTable } from '../resources/resource.ts';
import { abacAuthorizer } from './abac.ts';
import {
  type AccessAttributes,
  type Authorizer,
  type Awaitable,
  alwaysAllow,
  alwaysDeny,
  type Decision,
  type DecisionCount,
  type ListedRules,
  mastersAuthorizer,
  unionAuthorizer,
} from './authorizer.ts';
import { type ConfiguredAuthorizer, readAuthorizationConfiguration } from './configuration.ts';
import { DecisionCounts } from './counted.ts';
import { nodeAuthorizer } from './node/authorizer.ts';
import { NodeGraph } from './node/graph.ts';
import type { AuthorizationOptions } from './options.ts';
import type { RbacAuthorizer } from './rbac.ts';
import { AuthorizationWebhook } from './webhook/authorizer.ts';

const defaultModes = ['Node', 'RBAC'];

/** The authorisers that the options ask for, in their order; a configuration that changes takes effect at once. */
export class ConfiguredAuthorizers implements Authorizer {
  readonly #options: AuthorizationOptions;
  readonly #environment: Environment;
  readonly #rbac: RbacAuthorizer;
  readonly #node: Authorizer;
  readonly #counts = new DecisionCounts();
  #webhooks: readonly AuthorizationWebhook[] = [];
  #union: Authorizer;
  #followed: { close(): void } | undefined;

  /** @throws Error when a mode or a file cannot be used. */
  constructor(
    options: AuthorizationOptions,
    context: {
      readonly environment: Environment;
      readonly resources: ResourceTable;
      readonly rbac: RbacAuthorizer;
      readonly featureEnabled: (gate: string) => boolean;
    },
  ) {
    this.#options = options;
    this.#environment = context.environment;
    this.#rbac = context.rbac;
    this.#node = nodeAuthorizer(new NodeGraph(context.resources, context.environment.clock), context.featureEnabled);
    const { configFile, modes = defaultModes, webhook } = options;
    if (configFile === undefined) {
      const named = modes.map((type) => ({
        type,
        name: type.toLowerCase(),
        ...(webhook === undefined ? {} : { webhook }),
      }));
      this.#union = this.#unionOf(named);
      return;
    }
    const text = readFileSync(configFile, 'utf8');
    this.#union = this.#unionOf(readAuthorizationConfiguration(text));
    const onChange = (changed: string): void => {
      const before = this.#webhooks;
      this.#union = this.#unionOf(readAuthorizationConfiguration(changed));
      for (const one of before) one.close();
    };
    this.#followed = followFile(configFile, this.#environment, { text, onChange });
  }

  authorize(attributes: AccessAttributes): Awaitable<Decision> {
    return this.#union.authorize(attributes);
  }

  rulesFor(user: UserInfo, namespace: string): ListedRules {
    return this.#union.rulesFor!(user, namespace);
  }

  decisions(): Iterable<DecisionCount> {
    return this.#counts.read();
  }

  close(): void {
    this.#followed?.close();
    for (const webhook of this.#webhooks) webhook.close();
  }

  #unionOf(configured: readonly ConfiguredAuthorizer[]): Authorizer {
    const webhooks: AuthorizationWebhook[] = [];
    const authorizers = configured.map((one) => this.#counts.counting(one, this.#authorizerOf(one, webhooks)));
    this.#webhooks = webhooks;
    return unionAuthorizer([mastersAuthorizer, ...authorizers]);
  }

  #authorizerOf({ type, webhook }: ConfiguredAuthorizer, webhooks: AuthorizationWebhook[]): Authorizer {
    switch (type) {
      case 'Node':
        return this.#node;
      case 'RBAC':
        return this.#rbac;
      case 'AlwaysAllow':
        return alwaysAllow;
      case 'AlwaysDeny':
        return alwaysDeny;
      case 'ABAC': {
        const { policyFile } = this.#options;
        if (policyFile === undefined) throw new Error('authorization mode ABAC needs a policy file');
        return abacAuthorizer(readFileSync(policyFile, 'utf8'));
      }
      case 'Webhook': {
        if (webhook === undefined) throw new Error('authorization mode Webhook needs the webhook’s file');
        const authorizer = new AuthorizationWebhook(webhook, this.#environment);
        webhooks.push(authorizer);
        return authorizer;
      }
      default:
        throw new Error(`${JSON.stringify(type)} is not a valid authorization mode`);
    }
  }
}
