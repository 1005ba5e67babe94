import type { UserInfo } from '../registry/operation.ts';
import type { Span, Tracer } from '../tracing/tracer.ts';
import type { AnyRequest } from './any-http.ts';
import type { RequestInfo } from './request-info.ts';

/** Whose word about the trace of a request is taken. */
const trustedGroups = ['system:masters', 'system:monitoring'];

/** The span of a request, from the moment that it is known who asks. */
export function traceRequest(tracer: Tracer, request: AnyRequest, info: RequestInfo, user: UserInfo): Span {
  const { headers, method = 'GET', url = '/', httpVersion } = request;
  return tracer.begin({
    name: spanName(method, info),
    kind: 'server',
    traceparent: headerOf(headers['traceparent']),
    tracestate: headerOf(headers['tracestate']),
    isTrusted: user.groups.some((group) => trustedGroups.includes(group)),
    attributes: {
      'http.request.method': method,
      'http.target': url,
      'url.path': url.split('?')[0]!,
      'network.protocol.version': httpVersion,
      'client.address': request.socket.remoteAddress ?? '',
      'user_agent.original': headers['user-agent'] ?? '',
    },
  });
}

function headerOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(',');
}

/** Without the names of namespaces and objects: spans of one sort have one name. */
function spanName(method: string, info: RequestInfo): string {
  if (info.type === 'path') return method;
  const { group, version, namespace, resource, name, subresource } = info;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const space = namespace === '' ? '' : '/namespaces/{:namespace}';
  const rest = `${name === '' ? '' : '/{:name}'}${subresource === '' ? '' : `/${subresource}`}`;
  return `${method} ${root}${space}/${resource}${rest}`;
}
