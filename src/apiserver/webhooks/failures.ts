/** Why a connection failed, as Go says it: what users search for. */
export function dialFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Both families of addresses were tried: the first failure is as good as the other.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const { code, address, port } = first as Error & { readonly code?: string; address?: string; port?: number };
  switch (code) {
    case 'ECONNREFUSED':
      return `dial tcp ${address}:${port}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `dial tcp ${address}:${port}: connect: no route to host`;
    case 'ENETUNREACH':
      return `dial tcp ${address}:${port}: connect: network is unreachable`;
    case 'ETIMEDOUT':
      return `dial tcp ${address}:${port}: i/o timeout`;
    case 'ENOTFOUND':
      return `dial tcp: lookup ${(error as { hostname?: string }).hostname ?? ''}: no such host`;
    case 'ECONNRESET':
      return 'EOF';
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'CERT_SIGNATURE_FAILURE':
      return 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `tls: failed to verify certificate: x509: ${error.message}`;
    default:
      return error.message;
  }
}

/** What upstream's client makes of an answer that is no success. */
export function statusFailure(status: number, body: string): string {
  switch (status) {
    case 401:
      return 'the server has asked for the client to provide credentials';
    case 403:
      return `unknown`;
    case 404:
      return 'the server could not find the requested resource';
    case 405:
      return 'the server does not allow this method on the requested resource';
    case 429:
      return 'the server has received too many requests and has asked us to try again later';
    case 503:
      return 'the server is currently unable to handle the request';
    case 504:
      return 'the server was unable to return a response in the time allotted, but may still be processing the request';
    default:
      if (status < 500) return `the server rejected our request for an unknown reason`;
      return `an error on the server (${JSON.stringify(body.trim().slice(0, 2048) || 'unknown')}) has prevented the request from succeeding`;
  }
}
