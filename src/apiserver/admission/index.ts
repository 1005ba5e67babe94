import type { Environment } from '#base/environment.ts';
import type { FeatureGates } from '../feature-gates.ts';
import { alwaysAdmit, alwaysDeny } from './always/plugin.ts';
import { alwaysPullImages } from './always-pull-images/plugin.ts';
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates/plugin.ts';
import { AdmissionChain } from './chain.ts';
import { persistentVolumeClaimResize } from './claim-resize/plugin.ts';
import { readAdmissionConfiguration } from './configuration.ts';
import { defaultIngressClass } from './default-ingress-class/plugin.ts';
import { defaultStorageClass } from './default-storage-class/plugin.ts';
import { defaultTolerationSeconds } from './default-toleration-seconds/plugin.ts';
import { eventRateLimit } from './event-rate-limit/plugin.ts';
import { extendedResourceToleration } from './extended-resource-toleration/plugin.ts';
import { denyServiceExternalIPs } from './external-ips/plugin.ts';
import { limitPodHardAntiAffinityTopology } from './hard-anti-affinity-topology/plugin.ts';
import { imagePolicyWebhook } from './image-policy-webhook/plugin.ts';
import { jobValidation } from './job-validation/plugin.ts';
import { limitRanger } from './limit-ranger/plugin.ts';
import { mutatingAdmissionPolicy } from './mutating-admission-policy/plugin.ts';
import { namespaceAutoProvision } from './namespace-auto-provision/plugin.ts';
import { namespaceExists } from './namespace-exists/plugin.ts';
import { namespaceLifecycle } from './namespace-lifecycle/plugin.ts';
import { nodeDeclaredFeatureValidator } from './node-declared-features/plugin.ts';
import { nodeRestriction } from './node-restriction/plugin.ts';
import { ownerReferencesPermissionEnforcement } from './owner-references/plugin.ts';
import type { AdmissionOptions, AdmissionPlugin, PluginEntry } from './plugin.ts';
import { podGroupProtection } from './pod-group-protection/plugin.ts';
import { podGroupWorkloadExists } from './pod-group-workload-exists/plugin.ts';
import { podNodeSelector } from './pod-node-selector/plugin.ts';
import { podResizeValidator } from './pod-resize/plugin.ts';
import { podSecurity } from './pod-security/plugin.ts';
import { podTolerationRestriction } from './pod-toleration-restriction/plugin.ts';
import { podTopologyLabels } from './pod-topology-labels/plugin.ts';
import { priority } from './priority/plugin.ts';
import { resourceQuota } from './resource-quota/plugin.ts';
import { runtimeClass } from './runtime-class/plugin.ts';
import { serviceAccount } from './service-account/plugin.ts';
import { storageObjectInUseProtection } from './storage-object-in-use-protection/plugin.ts';
import { taintNodesByCondition } from './taint-nodes-by-condition/plugin.ts';
import { clusterTrustBundleAttest } from './trust-bundle-attest/plugin.ts';
import { validatingAdmissionPolicy } from './validating-admission-policy/plugin.ts';
import { mutatingWebhooks } from './webhooks/mutating.ts';
import { validatingWebhooks } from './webhooks/validating.ts';

const on = (plugin: AdmissionPlugin): PluginEntry => ({ name: plugin.name, byDefault: true, create: () => plugin });
const off = (plugin: AdmissionPlugin): PluginEntry => ({ ...on(plugin), byDefault: false });

/** Plugins that have nothing to do while a feature gate is off. */
const gated = (gate: string, plugin: AdmissionPlugin): PluginEntry => ({
  ...on(plugin),
  create: ({ features }) => (features.enabled(gate) ? plugin : { name: plugin.name, operations: [] }),
});

/** Every plugin in upstream's order, which is behaviour: later ones see what earlier ones changed. */
export const pluginEntries: readonly PluginEntry[] = [
  off(alwaysAdmit),
  off(namespaceAutoProvision),
  on(namespaceLifecycle),
  off(namespaceExists),
  off(limitPodHardAntiAffinityTopology),
  on(limitRanger),
  on(serviceAccount),
  off(nodeRestriction),
  on(taintNodesByCondition),
  off(alwaysPullImages),
  imagePolicyWebhook,
  podSecurity,
  podNodeSelector,
  on(priority),
  defaultTolerationSeconds,
  podTolerationRestriction,
  eventRateLimit,
  off(extendedResourceToleration),
  on(defaultStorageClass),
  on(storageObjectInUseProtection),
  gated('GenericWorkload', podGroupProtection),
  off(ownerReferencesPermissionEnforcement),
  on(persistentVolumeClaimResize),
  on(runtimeClass),
  on(certificateApproval),
  on(certificateSigning),
  on(clusterTrustBundleAttest),
  on(certificateSubjectRestriction),
  on(defaultIngressClass),
  off(denyServiceExternalIPs),
  podTopologyLabels,
  gated('GenericWorkload', podGroupWorkloadExists),
  gated('NodeDeclaredFeatures', nodeDeclaredFeatureValidator),
  gated('GenericWorkload', jobValidation),
  on(podResizeValidator),
  // Policies, webhooks, quota and AlwaysDeny come last, in this order, because they judge what the others made.
  { name: 'MutatingAdmissionPolicy', byDefault: true, create: mutatingAdmissionPolicy },
  on(mutatingWebhooks()),
  { name: 'ValidatingAdmissionPolicy', byDefault: true, create: validatingAdmissionPolicy },
  on(validatingWebhooks()),
  resourceQuota,
  off(alwaysDeny),
];

/** The chain that the options ask for. @throws Error when they name a plugin that there is not. */
export function admissionChain(
  options: AdmissionOptions,
  { environment, features }: { readonly environment: Environment; readonly features: FeatureGates },
): AdmissionChain {
  const { enable = [], disable = [], configFile } = options;
  const written = configFile === undefined ? {} : readAdmissionConfiguration(configFile);
  const configurations = { ...written, ...options.configurations };
  const known = new Set(pluginEntries.map(({ name }) => name));
  for (const [flag, names] of [
    ['enable-admission-plugins', enable],
    ['disable-admission-plugins', disable],
  ] as const) {
    for (const name of names) if (!known.has(name)) throw new Error(`${flag} plugin "${name}" is unknown`);
  }
  const both = enable.find((name) => disable.includes(name));
  if (both !== undefined)
    throw new Error(`[${both}] in enable-admission-plugins and disable-admission-plugins overlapped`);
  const wanted = pluginEntries.filter(
    ({ name, byDefault }) => !disable.includes(name) && (byDefault || enable.includes(name)),
  );
  const plugins = wanted.map(({ name, create }) =>
    create({ environment, features, options, configuration: configurations[name] }),
  );
  return new AdmissionChain(plugins, environment.clock);
}
