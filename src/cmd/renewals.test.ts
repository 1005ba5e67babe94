import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { VirtualClock } from '#base/virtual-clock.ts';
import { ensurePki, type Pki } from './pki.ts';
import { Renewals } from './renewals.ts';

const dayMs = 24 * 3600 * 1000;

test('certificates of a running cluster are renewed two months before their end, under the same authority', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'proa-pki-'));
  const stop = new AbortController();
  t.after(() => {
    stop.abort();
    rmSync(folder, { recursive: true });
  });
  const environment = { clock: new VirtualClock(), random: seededRandom(1), log: silentLog };
  const renew = () => ensurePki(folder, { hosts: ['localhost', '127.0.0.1'], now: environment.clock.now() });
  const pki = await renew();
  const renewals = new Renewals({ pki, renew, environment });
  const renewed = Promise.withResolvers<Pki>();
  let count = 0;
  renewals.onRenewed((latest) => {
    count++;
    renewed.resolve(latest);
  });
  renewals.run(stop.signal).catch(() => {});

  await environment.clock.advance(305 * dayMs);
  assert.equal(count, 0);
  await environment.clock.advance(dayMs);
  const latest = await renewed.promise;
  assert.equal(latest.authority.certificate, pki.authority.certificate);
  for (const pair of [latest.serving, latest.admin]) {
    const certificate = new X509Certificate(pair.certificate);
    assert.ok(certificate.verify(new X509Certificate(pki.authority.certificate).publicKey));
    assert.equal(Math.round((Date.parse(certificate.validTo) - environment.clock.now()) / dayMs), 365);
  }
  await environment.clock.advance(100 * dayMs);
  assert.equal(count, 1);
});
