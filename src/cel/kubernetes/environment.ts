import { CelEnvironment, type EnvironmentOptions } from '../environment.ts';
import { twoVariableComprehensions } from '../library/comprehensions.ts';
import { listsLibrary } from '../library/lists.ts';
import { optionalsLibrary } from '../library/optionals.ts';
import { setsLibrary } from '../library/sets.ts';
import { standardLibrary } from '../library/standard/index.ts';
import { authorizerLibrary } from './library/authorizer.ts';
import { withKubernetesCosts } from './library/costs.ts';
import { formatLibrary } from './library/format.ts';
import { networkLibrary } from './library/ip.ts';
import { kubernetesLists } from './library/lists.ts';
import { quantityLibrary } from './library/quantity.ts';
import { kubernetesRegex } from './library/regex.ts';
import { semverLibrary } from './library/semver.ts';
import { kubernetesStrings } from './library/strings.ts';
import { urlLibrary } from './library/url.ts';

/** Limits on cost that Kubernetes sets, in cel-go's units. */

/** One expression evaluated once. */
export const perCallLimit = 1_000_000;
/** All expressions of one policy, or of one custom resource, for one request. */
export const runtimeBudget = 10_000_000;
/** `matchConditions` of one webhook or policy. */
export const matchConditionsBudget = 2_500_000;
/** What one rule of a CustomResourceDefinition may cost by estimate, and all of its rules together. */
export const ruleCostLimit = 10_000_000;
export const definitionCostLimit = 100_000_000;
/** Longer messages that an expression makes are not used. */
export const maxMessageBytes = 5 * 1024;

/** The environment that all expressions of Kubernetes v1.36 share: functions and types, no variables. */
const kubernetesEnvironment: CelEnvironment = new CelEnvironment({
  homogeneousLiterals: true,
  checkLiterals: true,
  presenceTestHasCost: false,
  libraries: [
    standardLibrary,
    optionalsLibrary,
    kubernetesStrings,
    setsLibrary,
    listsLibrary,
    twoVariableComprehensions,
    kubernetesLists,
    kubernetesRegex,
    quantityLibrary,
    authorizerLibrary,
    urlLibrary,
    networkLibrary,
    formatLibrary,
    semverLibrary,
  ].map(withKubernetesCosts),
});

/** The shared environment with variables and types of one place where expressions stand. */
export function environmentWith(options: EnvironmentOptions): CelEnvironment {
  return kubernetesEnvironment.extend({
    ...options,
    ...(options.libraries === undefined ? {} : { libraries: options.libraries.map(withKubernetesCosts) }),
  });
}
