import { AdmissionChain } from './chain.ts';
import { defaultTolerationSeconds } from './default-toleration-seconds/plugin.ts';
import { namespaceLifecycle } from './namespace-lifecycle/plugin.ts';
import { priority } from './priority/plugin.ts';
import { runtimeClass } from './runtime-class/plugin.ts';
import { serviceAccount } from './service-account/plugin.ts';
import { taintNodesByCondition } from './taint-nodes-by-condition/plugin.ts';

/** The built-in plugins in upstream's order, which is behaviour: later ones see what earlier ones changed. */
export function builtinAdmission(): AdmissionChain {
  return new AdmissionChain([
    namespaceLifecycle,
    serviceAccount,
    taintNodesByCondition,
    priority,
    defaultTolerationSeconds,
    runtimeClass,
  ]);
}
