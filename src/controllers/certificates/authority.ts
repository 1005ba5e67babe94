/** The cluster's authority, as the controllers use it: they know no X.509 themselves. */
export interface CertificateAuthority {
  /** What a request asks for. @throws Error when it is none. */
  read(pem: string): Promise<CertificateSubject>;
  /** A certificate in PEM. */
  sign(pem: string, options: { readonly usages: readonly string[]; readonly lifetimeSeconds: number }): Promise<string>;
  /** When a certificate in PEM ends, in wall-clock milliseconds; undefined when that cannot be read. */
  endOf(pem: string): number | undefined;
}

export interface CertificateSubject {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
}
