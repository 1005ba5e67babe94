import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { VirtualClock } from '#base/virtual-clock.ts';
import { ConfigMap, Secret } from '#kinds/generated/handles.ts';
import { startApiServer } from '#testing/cluster.ts';
import type { AuditEvent } from './event.ts';
import { AuditLog } from './log-backend.ts';
import { AuditPolicy } from './policy.ts';

const policy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
  - level: None
    users: [system:apiserver]
  - level: Metadata
    resources: [{group: "", resources: [secrets, "serviceaccounts/*"]}]
  - level: RequestResponse
    verbs: [create, delete]
    namespaces: [default]
  - level: Request
    omitStages: [ResponseComplete]
`;

function folder(t: { after(work: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'proa-audit-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('requests are noted as the first rule that they meet says, with what was decided about them', async (t) => {
  const path = folder(t);
  const [policyFile, log] = [join(path, 'policy.yaml'), join(path, 'audit.log')];
  writeFileSync(policyFile, policy);
  const { as, client, stop } = await startApiServer({ audit: { policyFile, log: { path: log } } });
  const admin = as({ user: 'ann', groups: ['system:masters'] });
  const nobody = as({ user: 'nobody' });
  await client.create(ConfigMap, { metadata: { name: 'unseen', namespace: 'default' } });
  await admin.create(Secret, { metadata: { name: 's', namespace: 'default' }, stringData: { word: 'hidden' } });
  await admin.create(ConfigMap, { metadata: { name: 'c', namespace: 'default' }, data: { a: 'b' } });
  await assert.rejects(nobody.delete(ConfigMap, { name: 'c', namespace: 'default' }));
  await nobody.list(ConfigMap, { namespace: 'default' }).catch(() => {});
  await stop();
  const text = readFileSync(log, 'utf8');
  assert.ok(!text.includes('hidden') && !text.includes('aGlkZGVu'), 'Metadata shows no bodies');
  const events = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEvent);
  assert.deepEqual(
    events.map(({ level, verb, stage, user, responseStatus }) => [
      level,
      verb,
      stage,
      user.username,
      responseStatus?.code,
    ]),
    [
      ['Metadata', 'create', 'ResponseComplete', 'ann', 201],
      ['RequestResponse', 'create', 'ResponseComplete', 'ann', 201],
      ['RequestResponse', 'delete', 'ResponseComplete', 'nobody', 403],
    ],
  );
  const [, created, refused] = events;
  assert.deepEqual(created?.objectRef, { resource: 'configmaps', namespace: 'default', name: 'c', apiVersion: 'v1' });
  assert.ok(!JSON.stringify(created?.requestObject).includes('uid'), 'what was sent, not what became of it');
  assert.match(JSON.stringify(created?.requestObject), /"data":\{"a":"b"\}/);
  assert.ok(!JSON.stringify(created?.responseObject).includes('managedFields'));
  assert.equal(created?.annotations?.['authorization.k8s.io/decision'], 'allow');
  assert.equal(refused?.annotations?.['authorization.k8s.io/decision'], 'forbid');
  assert.equal(refused?.responseStatus?.reason, 'Forbidden');
});

test('a policy that cannot be kept is refused with the places of its faults', () => {
  const broken = `{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: All}, {level: None, nonResourceURLs: [healthz], namespaces: [a]}]}`;
  assert.throws(
    () => new AuditPolicy(broken),
    /rules\[0\]\.level: Unsupported value: "All".*rules\[1\]\.nonResourceURLs: Invalid value: "healthz": non-resource URL rules must begin with a '\/'/,
  );
  assert.throws(() => new AuditPolicy('{apiVersion: audit.k8s.io/v1, kind: Policy, rules: []}'), /0 rules/);
});

test('the log begins anew when it is too long, and old files go', async (t) => {
  const path = folder(t);
  const environment = { clock: new VirtualClock(), random: seededRandom(1), log: silentLog };
  const log = new AuditLog({ path: join(path, 'audit.log'), maxSizeMegabytes: 1, maxBackups: 2 }, environment);
  const user = { username: 'a'.repeat(300_000), groups: [] };
  for (let index = 0; index < 20; index++) {
    await environment.clock.advance(1000);
    log.write({ user, auditID: String(index), stage: 'ResponseComplete', verb: 'get' } as unknown as AuditEvent);
  }
  await log.close();
  assert.equal(readdirSync(path).length, 3);
});
