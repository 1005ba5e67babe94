import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHttpClient, type HttpClientOptions } from '#client/http/client.ts';
import { loadKubeconfig } from '#client/http/kubeconfig.ts';
import { Secret, ValidatingWebhookConfiguration } from '#kinds/generated/handles.ts';
import { startHttpCluster } from './http-cluster.ts';
import { startWebhook } from './webhook.ts';

/** Values by name and labels, as they stand on the page. */
type Page = ReadonlyMap<string, number>;

function read(text: string): Page {
  const line = /^([a-z0-9_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*\})?) (\S+)$/;
  const values = new Map<string, number>();
  for (const one of text.split('\n')) {
    if (one === '' || one.startsWith('# HELP ') || one.startsWith('# TYPE ')) continue;
    const match = line.exec(one);
    assert.ok(match, `no line of Prometheus: ${one}`);
    assert.ok(!values.has(match[1]!), `stands twice: ${match[1]}`);
    values.set(match[1]!, Number(match[2]));
  }
  return values;
}

/** The sum over all series of a name that have these labels. */
function sum(page: Page, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  let total = 0;
  for (const [series, value] of page)
    if ((series === name || series.startsWith(`${name}{`)) && wanted.every((label) => series.includes(label)))
      total += value;
  return total;
}

test('what dashboards look at is counted, under upstream’s names', async (t) => {
  const cluster = await startHttpCluster({ nodes: 0 });
  t.after(() => cluster.stop());
  const { client: admin } = loadKubeconfig({ path: cluster.kubeconfig, environment: {} });
  const { certificate: _certificate, key: _key, ...nobody } = admin;
  const clients: { close(): void }[] = [];
  t.after(() => {
    for (const client of clients) client.close();
  });
  const connect = (options: HttpClientOptions) => {
    const client = createHttpClient(options);
    clients.push(client);
    return client;
  };
  const client = connect(admin);
  const configMaps = '/api/v1/namespaces/default/configmaps';
  const json = { 'content-type': 'application/json' };
  const watch = await client.raw({ path: `${configMaps}?watch=1&fieldSelector=metadata.name%3Da` });
  const first = watch.body[Symbol.asyncIterator]().next();
  await client.rawText({ method: 'POST', path: configMaps, headers: json, body: '{"metadata":{"name":"a"}}' });
  await client.rawText({
    method: 'POST',
    path: `${configMaps}?dryRun=All`,
    headers: json,
    body: '{"metadata":{"name":"b"}}',
  });
  await first;
  const listing = await client.raw({
    path: `${configMaps}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
  });
  for await (const chunk of listing.body) if (String(chunk).includes('initial-events-end')) break;
  await client.rawText({ path: `${configMaps}/a` });
  await client.rawText({ path: configMaps });
  await client.rawText({ path: '/apis/resource.k8s.io/v1beta2/deviceclasses' });
  await assert.rejects(client.rawText({ path: '/apis/no.such.group/v1/things' }));
  await assert.rejects(connect({ ...nobody, token: 'nonsense' }).rawText({ path: configMaps }));
  const accounts = '/api/v1/namespaces/default/serviceaccounts';
  await client.rawText({ method: 'POST', path: accounts, headers: json, body: '{"metadata":{"name":"robot"}}' });
  const asked = { method: 'POST', path: `${accounts}/robot/token`, headers: json, body: '{"spec":{}}' };
  const { status } = JSON.parse(await client.rawText(asked)) as { readonly status: { readonly token: string } };
  const robot = connect({ ...nobody, token: status.token });
  for (const path of ['/version', '/api']) await robot.rawText({ path });
  await assert.rejects(connect({ ...admin, impersonate: { user: 'tom' } }).rawText({ path: configMaps }));

  await client.rawText({ path: '/readyz' });
  await client.rawText({ path: '/livez/ping' });

  const page = read(await client.rawText({ path: '/metrics' }));
  const of = { group: '', version: 'v1', resource: 'configmaps' };
  const expected: readonly (readonly [atLeast: number, name: string, labels?: Readonly<Record<string, string>>])[] = [
    [1, 'apiserver_request_total', { ...of, verb: 'GET', code: '200', scope: 'resource', component: 'apiserver' }],
    [1, 'apiserver_request_total', { ...of, verb: 'POST', code: '201', dry_run: 'All' }],
    [1, 'apiserver_request_total', { ...of, verb: 'LIST', code: '403' }],
    [1, 'apiserver_request_duration_seconds_count', { ...of, verb: 'GET' }],
    [1, 'apiserver_request_sli_duration_seconds_count', { ...of, verb: 'LIST' }],
    [100, 'apiserver_response_sizes_sum', { ...of, verb: 'GET' }],
    [2, 'apiserver_request_body_size_bytes_count', { resource: 'configmaps' }],
    [1, 'apiserver_longrunning_requests', { ...of, verb: 'WATCH' }],
    [1, 'apiserver_watch_events_total', of],
    [50, 'apiserver_watch_events_sizes_sum', of],
    [1, 'apiserver_requested_deprecated_apis', { resource: 'deviceclasses', removed_release: '1.39' }],
    [5, 'authentication_attempts', { result: 'success' }],
    [1, 'authentication_attempts', { result: 'failure' }],
    [5, 'authentication_duration_seconds_count', { result: 'success' }],
    [5, 'authenticated_user_requests', { username: 'other' }],
    [5, 'authorization_attempts_total', { result: 'allowed' }],
    [1, 'authorization_attempts_total', { result: 'no-opinion' }],
    [5, 'authorization_duration_seconds_count', { result: 'allowed' }],
    [5, 'apiserver_request_filter_duration_seconds_count', { filter: 'authorization' }],
    [5, 'apiserver_request_filter_duration_seconds_count', { filter: 'authentication' }],
    [1, 'apiserver_authorization_decisions_total', { type: 'RBAC', name: 'rbac', decision: 'allowed' }],
    [2, 'serviceaccount_valid_tokens_total'],
    [1, 'apiserver_watch_list_duration_seconds_count', { ...of, scope: 'namespace' }],
    [1e6, 'apiserver_flowcontrol_demand_seats_count', { priority_level: 'exempt' }],
    [1e6, 'apiserver_flowcontrol_priority_level_seat_utilization_bucket', { priority_level: 'exempt', le: '0' }],
    [1, 'apiserver_flowcontrol_current_executing_seats', { priority_level: 'exempt', flow_schema: 'exempt' }],
    [50, 'registered_metrics_total', { stability_level: 'ALPHA' }],
    [0, 'apiserver_current_inqueue_requests', { request_kind: 'mutating' }],
    [0, 'apiserver_flowcontrol_seat_fair_frac'],
    [1, 'version_info', { component: 'kube', emulation: '1.36' }],
    [5, 'apiserver_flowcontrol_request_wait_duration_seconds_count', { priority_level: 'exempt', execute: 'true' }],
    [5, 'apiserver_flowcontrol_request_execution_seconds_count', { flow_schema: 'exempt', type: 'regular' }],
    [5, 'apiserver_flowcontrol_work_estimated_seats_count', { flow_schema: 'exempt' }],
    [5, 'apiserver_flowcontrol_dispatched_requests_total', { flow_schema: 'exempt' }],
    [1, 'apiserver_storage_objects', { resource: 'configmaps' }],
    [1, 'apiserver_resource_objects', { resource: 'configmaps' }],
    [1, 'apiserver_cache_list_total', { resource: 'configmaps' }],
    [1, 'apiserver_watch_cache_events_received_total', { resource: 'configmaps' }],
    [1, 'etcd_request_duration_seconds_count', { operation: 'create', resource: 'configmaps' }],
    [1, 'etcd_requests_total', { operation: 'list', resource: 'configmaps' }],
    [1, 'kubernetes_feature_enabled', { name: 'APIServerTracing' }],
    [1, 'process_open_fds'],
    [100, 'process_max_fds'],
    [1_000_000, 'process_virtual_memory_bytes'],
    [1000, 'watch_cache_capacity', { resource: 'configmaps' }],
    [4096, 'apiserver_storage_size_bytes', { storage_cluster_id: 'etcd-0' }],
    [5, 'apiserver_client_certificate_expiration_seconds_count'],
    [5 * 300 * 86_400, 'apiserver_client_certificate_expiration_seconds_sum'],
    [1, 'rest_client_requests_total', { code: '201', method: 'POST' }],
    [1, 'rest_client_request_duration_seconds_count', { verb: 'GET' }],
    [1, 'kube_apiserver_clusterip_allocator_allocated_ips', { cidr: '10.96.0.0/16' }],
    [65_000, 'kube_apiserver_clusterip_allocator_available_ips', { cidr: '10.96.0.0/16' }],
  ];
  for (const [atLeast, name, labels] of expected)
    assert.ok(sum(page, name, labels) >= atLeast, `${name} ${JSON.stringify(labels)}: ${sum(page, name, labels)}`);
  const health = read(await client.rawText({ path: '/metrics/slis' }));
  assert.equal(sum(health, 'kubernetes_healthcheck', { name: 'etcd', type: 'readyz' }), 1);
  assert.equal(sum(health, 'kubernetes_healthchecks_total', { name: 'ping', type: 'livez', status: 'success' }), 1);
  assert.equal(sum(page, 'apiserver_current_inflight_requests'), 1);
  assert.ok(![...page.keys()].some((series) => series.includes('no.such.group')));
  watch.body.destroy();
});

test('a webhook whose certificate names its host in the subject alone is not believed, and counted', async (t) => {
  const hook = await startWebhook(() => ({ allowed: true }), { hosts: [] });
  t.after(() => hook.stop());
  const cluster = await startHttpCluster({ nodes: 0 });
  t.after(() => cluster.stop());
  await cluster.client.create(ValidatingWebhookConfiguration, {
    metadata: { name: 'hook' },
    webhooks: [
      {
        name: 'hook.demo.dev',
        clientConfig: hook.clientConfig('/validate'),
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['secrets'] }],
      },
    ],
  });
  await assert.rejects(
    cluster.client.create(Secret, { metadata: { name: 'a', namespace: 'default' } }),
    /x509: certificate relies on legacy Common Name field, use SANs instead/,
  );
  const { client: admin } = loadKubeconfig({ path: cluster.kubeconfig, environment: {} });
  const client = createHttpClient(admin);
  const page = read(await client.rawText({ path: '/metrics' }));
  client.close();
  assert.equal(sum(page, 'apiserver_webhooks_x509_missing_san_total'), 1);
  assert.equal(sum(page, 'apiserver_webhooks_x509_insecure_sha1_total'), 0);
});

test('policies in CEL are counted by what came of them', async (t) => {
  const cluster = await startHttpCluster({ nodes: 0 });
  t.after(() => cluster.stop());
  const match = {
    resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
  };
  const manifests = [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'short-names' },
      spec: { matchConstraints: match, validations: [{ expression: 'size(object.metadata.name) < 5' }] },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'everywhere' },
      spec: { policyName: 'short-names', validationActions: ['Deny'] },
    },
  ];
  for (const manifest of manifests)
    assert.equal((await cluster.kubectl(['create', '-f', '-'], { stdin: JSON.stringify(manifest) })).code, 0);
  assert.notEqual((await cluster.kubectl(['create', 'configmap', 'much-too-long'])).code, 0);
  const { stdout } = await cluster.kubectl(['get', '--raw', '/metrics']);
  const page = read(stdout);
  const labels = { policy: 'short-names', policy_binding: 'everywhere', enforcement_action: 'deny' };
  assert.equal(
    sum(page, 'apiserver_validating_admission_policy_check_total', { ...labels, error_type: 'no_error' }),
    1,
  );
  assert.equal(sum(page, 'apiserver_validating_admission_policy_check_duration_seconds_count', labels), 1);
  assert.ok(sum(page, 'apiserver_cel_compilation_duration_seconds_count') >= 1);
  assert.ok(sum(page, 'apiserver_cel_evaluation_duration_seconds_count') >= 1);
});
