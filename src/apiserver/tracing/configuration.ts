import { parseYaml } from '#machinery/yaml.ts';

/** Where spans go and how many there are. */
export interface TracingConfiguration {
  /** gRPC target of a collector; the connection has no TLS. */
  readonly endpoint: string;
  /** Of a million requests that bring no decision with them, how many are sampled. */
  readonly samplingRatePerMillion: number;
}

/** The port of OTLP over gRPC. */
const defaultEndpoint = 'localhost:4317';
const maxRate = 1_000_000;
const versions = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `apiserver.config.k8s.io/${version}`);
const schemes = ['dns', 'unix', 'unix-abstract'];

/**
 * Reads a TracingConfiguration (apiserver.config.k8s.io/v1beta1, KEP-647).
 * @throws Error that says what is wrong with it.
 */
export function readTracingConfiguration(text: string): TracingConfiguration {
  const written = parseYaml(text) as Readonly<Record<string, unknown>> | null;
  const { kind, apiVersion, endpoint = defaultEndpoint, samplingRatePerMillion: rate = 0, ...unknown } = written ?? {};
  if (kind !== 'TracingConfiguration' || !versions.includes(String(apiVersion)))
    throw new Error(`expected kind: TracingConfiguration and one of ${versions.join(', ')}`);
  const [stranger] = Object.keys(unknown);
  if (stranger !== undefined) throw new Error(`strict decoding error: unknown field ${JSON.stringify(stranger)}`);
  if (typeof rate !== 'number' || !Number.isInteger(rate))
    throw new Error('samplingRatePerMillion: must be an integer');
  if (rate < 0) throw new Error(`samplingRatePerMillion: Invalid value: ${rate}: sampling rate must be positive`);
  if (rate > maxRate)
    throw new Error(
      `samplingRatePerMillion: Invalid value: ${rate}: sampling rate per million must be less than or equal to one million`,
    );
  if (typeof endpoint !== 'string') throw new Error('endpoint: must be a string');
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(endpoint)?.[1];
  if (scheme !== undefined && !schemes.includes(scheme))
    throw new Error(
      `endpoint: Invalid value: ${JSON.stringify(endpoint)}: unsupported scheme: ${scheme}.  Options are none, dns, unix, or unix-abstract.  See https://github.com/grpc/grpc/blob/master/doc/naming.md`,
    );
  return { endpoint, samplingRatePerMillion: rate };
}
