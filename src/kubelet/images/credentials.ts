import type { Secret } from '#kinds/generated/types/core_v1.ts';
import type { AuthConfig } from '../cri/cri.ts';
import type { ImageReference } from './reference.ts';

interface Login {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/**
 * The logins of pull secrets that match an image, the most specific first (longest matching path); then as the
 * secrets stand. Secrets of other types and with contents that cannot be read count for nothing.
 */
export function credentialsFor(image: ImageReference, secrets: readonly Secret[]): readonly AuthConfig[] {
  const found: { readonly length: number; readonly auth: AuthConfig }[] = [];
  for (const secret of secrets) {
    for (const [key, login] of Object.entries(loginsOf(secret))) {
      const place = normalize(key);
      if (matches(place, image)) found.push({ length: place.length, auth: authOf(login, image.registry) });
    }
  }
  return found.sort((left, right) => right.length - left.length).map(({ auth }) => auth);
}

function loginsOf(secret: Secret): Readonly<Record<string, Login>> {
  const modern = secret.data?.['.dockerconfigjson'];
  const legacy = secret.data?.['.dockercfg'];
  try {
    if (secret.type === 'kubernetes.io/dockerconfigjson' && modern !== undefined)
      return (JSON.parse(decode(modern)) as { auths?: Record<string, Login> }).auths ?? {};
    if (secret.type === 'kubernetes.io/dockercfg' && legacy !== undefined)
      return JSON.parse(decode(legacy)) as Record<string, Login>;
  } catch {
    return {};
  }
  return {};
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

/** `https://index.docker.io/v1/` and the like become a plain `host/path`. */
function normalize(key: string): string {
  const place = key
    .replace(/^https?:\/\//, '')
    .replace(/\/v[12]\/?$/, '')
    .replace(/\/$/, '');
  return place.replace(/^(index|registry-1)\.docker\.io/, 'docker.io');
}

/** Hosts match label by label with `*` for a label; a path matches by its beginning. */
function matches(place: string, image: ImageReference): boolean {
  const slash = place.indexOf('/');
  const host = slash < 0 ? place : place.slice(0, slash);
  const path = slash < 0 ? '' : place.slice(slash + 1);
  const wanted = host.split(':');
  const actual = image.registry.split(':');
  if ((wanted[1] ?? '') !== (actual[1] ?? '')) return false;
  const labels = wanted[0]!.split('.');
  const hostLabels = actual[0]!.split('.');
  if (labels.length !== hostLabels.length) return false;
  const fits = labels.every((text, index) => glob(text, hostLabels[index]!));
  return fits && image.repository.startsWith(path);
}

function glob(pattern: string, text: string): boolean {
  if (!pattern.includes('*')) return pattern === text;
  const expression = pattern.split('*').map((part) => part.replace(/[^\w]/g, '\\$&'));
  return new RegExp(`^${expression.join('.*')}$`).test(text);
}

function authOf(login: Login, registry: string): AuthConfig {
  let { username = '', password = '' } = login;
  if (login.auth !== undefined && username === '') {
    const [user = '', ...rest] = decode(login.auth).split(':');
    username = user;
    password = rest.join(':');
  }
  return {
    username,
    password,
    identityToken: login.identitytoken ?? '',
    registryToken: login.registrytoken ?? '',
    serverAddress: registry,
  };
}
