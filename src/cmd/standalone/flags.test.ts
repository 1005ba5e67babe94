import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessFlags } from '#apiserver/flags.ts';
import { apiServerFlags, withoutEffect } from './flag-names.ts';
import { goDurationMs, parseApiServerFlags } from './flags.ts';

test('flags are read in every form that the official program reads', () => {
  const flags = parseApiServerFlags([
    '--secure-port=6443',
    '--bind-address',
    '127.0.0.1',
    '--allow-privileged',
    '--anonymous-auth=false',
    '--enable_admission_plugins=A,B',
    '--enable-admission-plugins=C',
    '--service-account-issuer=https://a,b',
    '--feature-gates=X=true,Y=false',
    '--event-ttl=1h30m',
    '-v=2',
  ]);
  assert.equal(flags.whole('secure-port'), 6443);
  assert.equal(flags.text('bind-address'), '127.0.0.1');
  assert.equal(flags.boolean('allow-privileged'), true);
  assert.equal(flags.boolean('anonymous-auth'), false);
  assert.deepEqual(flags.list('enable-admission-plugins'), ['A', 'B', 'C']);
  assert.deepEqual(flags.all('service-account-issuer'), ['https://a,b']);
  assert.deepEqual(flags.map('feature-gates'), { X: 'true', Y: 'false' });
  assert.equal(flags.durationMs('event-ttl'), 5_400_000);
});

test('what cannot be read is refused in the official words', () => {
  const refused = (...args: string[]): string => {
    try {
      parseApiServerFlags(args);
      return 'was not refused';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(refused('--nope'), 'unknown flag: --nope');
  assert.equal(
    refused('--secure-port=x'),
    'invalid argument "x" for "--secure-port" flag: strconv.ParseInt: parsing "x": invalid syntax',
  );
  assert.equal(
    refused('--profiling=maybe'),
    'invalid argument "maybe" for "--profiling" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
  );
  assert.equal(
    refused('--event-ttl=soon'),
    'invalid argument "soon" for "--event-ttl" flag: time: invalid duration "soon"',
  );
  assert.equal(refused('--bind-address'), 'flag needs an argument: --bind-address');
});

test('every flag is taken with a value of its form', () => {
  const values: Readonly<Record<string, string>> = { bool: 'true', int: '1', float: '0.5', duration: '1s', ip: '::1' };
  for (const [form, names] of Object.entries(apiServerFlags))
    for (const name of names) assert.ok(parseApiServerFlags([`--${name}=${values[form] ?? 'a'}`]).has(name));
  assert.equal(goDurationMs('1.5s'), 1500);
  assert.equal(goDurationMs('5'), undefined);
});

test('every flag that is told to be without effect is one of the official server, and none that is read', () => {
  const known = new Set<string>(Object.values(apiServerFlags).flat());
  const read = new Set<string>(accessFlags);
  for (const name of withoutEffect) assert.ok(known.has(name) && !read.has(name), name);
});
