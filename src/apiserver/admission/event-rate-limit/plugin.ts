import { LruCache } from '#base/lru-cache.ts';
import { TokenBucket } from '#base/token-bucket.ts';
import type { Event } from '#kinds/generated/types/core_v1.ts';
import { ApiError } from '#machinery/errors.ts';
import { type AdmissionAttributes, objectAs, type PluginEntry } from '../plugin.ts';

type LimitType = 'Server' | 'Namespace' | 'User' | 'SourceAndObject';

interface Limit {
  readonly type: LimitType;
  readonly qps: number;
  readonly burst: number;
  readonly cacheSize?: number;
}

const limitTypes: readonly string[] = ['Server', 'Namespace', 'User', 'SourceAndObject'];
const defaultCacheSize = 4096;

/** A flood of events fills neither the store nor the server's time: eventratelimit.admission.k8s.io/v1alpha1. */
export const eventRateLimit: PluginEntry = {
  name: 'EventRateLimit',
  byDefault: false,
  create({ environment, configuration }) {
    const limits = (configuration as { readonly limits?: readonly Limit[] } | undefined)?.limits ?? [];
    if (limits.length === 0) throw new Error('EventRateLimit configuration: limits: must be specified');
    const enforcers = limits.map((limit) => {
      if (!limitTypes.includes(limit.type)) throw new Error(`EventRateLimit configuration: unknown type ${limit.type}`);
      return { limit, buckets: new LruCache<string, TokenBucket>(limit.cacheSize || defaultCacheSize) };
    });
    return {
      name: 'EventRateLimit',
      operations: ['CREATE', 'UPDATE'],
      resources: ['/events'],
      validate(attributes) {
        if (attributes.request.options.dryRun === true) return;
        for (const { limit, buckets } of enforcers) {
          const key = keyOf(limit.type, attributes);
          let bucket = buckets.get(key);
          if (bucket === undefined) {
            bucket = new TokenBucket(environment.clock, { burst: limit.burst, perSecond: limit.qps });
            buckets.set(key, bucket);
          }
          if (bucket.tryTake()) continue;
          throw new ApiError(429, 'TooManyRequests', `limit reached on type ${limit.type} for key ${key}`, {});
        }
      },
    };
  },
};

function keyOf(type: LimitType, attributes: AdmissionAttributes): string {
  const { request } = attributes;
  switch (type) {
    case 'Server':
      return '';
    case 'Namespace':
      return request.namespace;
    case 'User':
      return request.user.name;
    case 'SourceAndObject': {
      const { source, involvedObject } = objectAs<Event>(attributes);
      const { kind, namespace, name, uid, apiVersion } = involvedObject;
      return [source?.component, source?.host, kind, namespace, name, uid, apiVersion]
        .map((part) => part ?? '')
        .join('');
    }
  }
}
