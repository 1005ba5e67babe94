/** Query parameters: name and type. */
export type Parameters = Readonly<Record<string, 'string' | 'integer' | 'boolean'>>;

const selection: Parameters = {
  continue: 'string',
  fieldSelector: 'string',
  labelSelector: 'string',
  limit: 'integer',
  resourceVersion: 'string',
  resourceVersionMatch: 'string',
  sendInitialEvents: 'boolean',
  shardSelector: 'string',
  timeoutSeconds: 'integer',
};
const writing: Parameters = { dryRun: 'string', fieldManager: 'string', fieldValidation: 'string' };
const deletion: Parameters = {
  dryRun: 'string',
  gracePeriodSeconds: 'integer',
  ignoreStoreReadErrorWithClusterBreakingPotential: 'boolean',
  orphanDependents: 'boolean',
  propagationPolicy: 'string',
};

/** What each kind of request may say in its query. */
export const parametersOf = {
  get: {},
  list: { allowWatchBookmarks: 'boolean', ...selection, watch: 'boolean' },
  post: writing,
  put: writing,
  patch: { ...writing, force: 'boolean' },
  delete: deletion,
  deletecollection: { ...selection, ...deletion },
} as const satisfies Readonly<Record<string, Parameters>>;

const session: Parameters = {
  container: 'string',
  stderr: 'boolean',
  stdin: 'boolean',
  stdout: 'boolean',
  tty: 'boolean',
};

/** Options of streams and logs by subresource: they stand in the query instead of a body. */
export const connectParameters: Readonly<Record<string, Parameters>> = {
  attach: session,
  exec: { ...session, command: 'string' },
  portforward: { ports: 'integer' },
  proxy: { path: 'string' },
  log: {
    container: 'string',
    follow: 'boolean',
    insecureSkipTLSVerifyBackend: 'boolean',
    limitBytes: 'integer',
    previous: 'boolean',
    sinceSeconds: 'integer',
    stream: 'string',
    tailLines: 'integer',
    timestamps: 'boolean',
  },
};
