import { runEtcd } from '../../standalone/etcd.ts';

/** Stands where etcd stood for programs that start one. */
export function etcd(args: readonly string[]): Promise<number> {
  return runEtcd(args);
}
