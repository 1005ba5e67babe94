import { compile, dynType, fromJson, mapType, type Program, stringType, toJson } from '#cel/index.ts';
import { environmentWith } from '#cel/kubernetes/environment.ts';
import type { Json } from '#machinery/meta.ts';
import type { UserInfo } from '../../registry/operation.ts';

export type Claims = Readonly<Record<string, unknown>>;

interface PrefixedClaim {
  readonly claim?: string;
  readonly prefix?: string;
  readonly expression?: string;
}

/** How an AuthenticationConfiguration makes a user of claims, as it is written. */
export interface MappingSettings {
  readonly claimMappings: {
    readonly username: PrefixedClaim;
    readonly groups?: PrefixedClaim;
    readonly uid?: { readonly claim?: string; readonly expression?: string };
    readonly extra?: readonly { readonly key: string; readonly valueExpression: string }[];
  };
  readonly claimValidationRules?: readonly {
    readonly claim?: string;
    readonly requiredValue?: string;
    readonly expression?: string;
    readonly message?: string;
  }[];
  readonly userValidationRules?: readonly { readonly expression: string; readonly message?: string }[];
}

/** Most that all expressions about one token may cost, in cel-go's units. */
const costLimit = 10_000_000;
const claimsEnvironment = environmentWith({ variables: { claims: mapType(stringType, dynType) } });
const userEnvironment = environmentWith({ variables: { user: dynType } });

/** Makes users of claims, and checks both. */
export class ClaimMapper {
  readonly #settings: MappingSettings;
  readonly #programs = new Map<string, Program>();

  /** @param problems takes what is wrong with the expressions, by path. */
  constructor(settings: MappingSettings, at: string, problems: string[]) {
    this.#settings = settings;
    const { claimMappings, claimValidationRules = [], userValidationRules = [] } = settings;
    const add = (source: string | undefined, path: string, environment = claimsEnvironment): void => {
      if (source === undefined || source === '') return;
      const compiled = compile(source, environment);
      if (compiled.program === undefined)
        problems.push(
          `${at}.${path}: Invalid value: ${JSON.stringify(source)}: compilation failed: ${compiled.message}`,
        );
      else this.#programs.set(source, compiled.program);
    };
    add(claimMappings.username.expression, 'claimMappings.username.expression');
    add(claimMappings.groups?.expression, 'claimMappings.groups.expression');
    add(claimMappings.uid?.expression, 'claimMappings.uid.expression');
    for (const [index, { valueExpression }] of (claimMappings.extra ?? []).entries())
      add(valueExpression, `claimMappings.extra[${index}].valueExpression`);
    for (const [index, { expression }] of claimValidationRules.entries())
      add(expression, `claimValidationRules[${index}].expression`);
    for (const [index, { expression }] of userValidationRules.entries())
      add(expression, `userValidationRules[${index}].expression`, userEnvironment);
  }

  /** @throws Error that says which claim or rule keeps the token from being believed. */
  userOf(claims: Claims): UserInfo {
    const { claimValidationRules = [], userValidationRules = [] } = this.#settings;
    for (const rule of claimValidationRules) this.#checkClaim(rule, claims);
    const uid = this.#uid(claims);
    const extra = this.#extra(claims);
    const user: UserInfo = {
      name: this.#username(claims),
      ...(uid === undefined || uid === '' ? {} : { uid }),
      groups: [...this.#groups(claims), 'system:authenticated'],
      ...(Object.keys(extra).length === 0 ? {} : { extra }),
    };
    const view = { username: user.name, uid: user.uid ?? '', groups: user.groups.slice(0, -1), extra };
    for (const { expression, message } of userValidationRules) {
      const holds = this.#evaluate(expression, { user: fromJson(view as unknown as Json) });
      if (holds !== true)
        throw new Error(`oidc: error evaluating user info validation rule: ${reason(message, expression)}`);
    }
    return user;
  }

  #checkClaim(
    { claim, requiredValue, expression, message }: NonNullable<MappingSettings['claimValidationRules']>[number],
    claims: Claims,
  ): void {
    if (expression !== undefined && expression !== '') {
      if (this.#ofClaims(expression, claims) !== true)
        throw new Error(`oidc: error evaluating claim validation expression: ${reason(message, expression)}`);
      return;
    }
    if (claim === undefined) return;
    const found = claims[claim];
    if (found === undefined) throw new Error(`oidc: required claim ${claim} not present in ID token`);
    if (found !== requiredValue)
      throw new Error(`oidc: required claim ${claim} value does not match. Got = ${found}, want = ${requiredValue}`);
  }

  #username(claims: Claims): string {
    const { username } = this.#settings.claimMappings;
    if (username.claim === 'email' && claims['email_verified'] !== undefined && claims['email_verified'] !== true)
      throw new Error('oidc: email not verified');
    const name = this.#text(username, claims, 'username');
    if (name === undefined || name === '') throw new Error('oidc: the username claim is missing or empty');
    return `${username.expression === undefined ? (username.prefix ?? '') : ''}${name}`;
  }

  /** @throws Error where a claim was named that the token does not have. */
  #uid(claims: Claims): string | undefined {
    const { uid } = this.#settings.claimMappings;
    const { claim = '' } = uid ?? {};
    if (claim !== '' && !Object.hasOwn(claims, claim))
      throw new Error(`oidc: parse uid claim ${JSON.stringify(claim)}: claim not present`);
    return this.#text(uid, claims, 'uid');
  }

  #groups(claims: Claims): readonly string[] {
    const { groups } = this.#settings.claimMappings;
    if (groups === undefined) return [];
    const found = this.#value(groups, claims) ?? [];
    const list = typeof found === 'string' ? [found] : found;
    if (!Array.isArray(list) || !list.every((group) => typeof group === 'string'))
      throw new Error('oidc: parse groups claim: it must be a string or a list of strings');
    const prefix = groups.expression === undefined ? (groups.prefix ?? '') : '';
    return list.filter((group) => group !== '').map((group) => `${prefix}${group}`);
  }

  #extra(claims: Claims): Record<string, readonly string[]> {
    const extra: Record<string, readonly string[]> = {};
    if (typeof claims['jti'] === 'string')
      extra['authentication.kubernetes.io/credential-id'] = [`JTI=${claims['jti']}`];
    for (const { key, valueExpression } of this.#settings.claimMappings.extra ?? []) {
      const value = this.#ofClaims(valueExpression, claims);
      const values = [value ?? []].flat().filter((one): one is string => typeof one === 'string' && one !== '');
      if (values.length > 0) extra[key] = values;
    }
    return extra;
  }

  #text(source: PrefixedClaim | undefined, claims: Claims, what: string): string | undefined {
    const value = source === undefined ? undefined : this.#value(source, claims);
    if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
    throw new Error(`oidc: parse ${what}: the claim must be a string`);
  }

  #value({ claim, expression }: PrefixedClaim, claims: Claims): unknown {
    if (expression !== undefined && expression !== '') return this.#ofClaims(expression, claims);
    return claim === undefined ? undefined : claims[claim];
  }

  #ofClaims(expression: string, claims: Claims): unknown {
    return this.#evaluate(expression, { claims: fromJson(claims as Json) });
  }

  #evaluate(expression: string, bindings: Parameters<Program['evaluate']>[0]): unknown {
    const outcome = this.#programs.get(expression)!.evaluate(bindings, { costLimit });
    if ('error' in outcome) throw new Error(`oidc: expression '${expression}' resulted in error: ${outcome.error}`);
    return toJson(outcome.value);
  }
}

function reason(message: string | undefined, expression: string): string {
  return `validation expression '${expression}' failed${message === undefined || message === '' ? '' : `: ${message}`}`;
}
