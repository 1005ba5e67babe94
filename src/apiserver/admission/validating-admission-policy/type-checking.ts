import { type CelEnvironment, compile, dynType, type TypeProvider } from '#cel/index.ts';
import { declaredTypeOfSchema } from '#cel/kubernetes/schema/built-in.ts';
import { type DeclaredField, type DeclaredType, declared, nameTypes } from '#cel/kubernetes/schema/declared-type.ts';
import { declaredTypeOf } from '#cel/kubernetes/schema/structural.ts';
import type {
  ExpressionWarning,
  NamedRuleWithOperations,
  ParamKind,
  ValidatingAdmissionPolicy,
} from '#kinds/generated/types/admissionregistration_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { schemaNamed } from '#kinds/schemas.ts';
import { apiVersionOf, parseApiVersion } from '#machinery/meta.ts';
import { structuralNode } from '../../custom-resources/structural/node.ts';
import type { ResourceTable, ServedResource } from '../../resources/resource.ts';
import { composeVariables } from '../policies/variables.ts';

/** More kinds than this are not looked at, however many a rule names. */
const maxKinds = 10;

/**
 * What the expressions of a policy get wrong about the kinds that it matches. The policy works regardless: an
 * expression sees objects as they are, whatever their schemas say.
 */
export function checkTypes(
  { spec }: ValidatingAdmissionPolicy,
  resources: ResourceTable,
): readonly ExpressionWarning[] {
  const kinds = matchedKinds(spec.matchConstraints?.resourceRules ?? [], resources);
  const params = spec.paramKind === undefined ? undefined : paramResource(spec.paramKind, resources);
  const environments = kinds.map((resource) => ({
    kind: `${apiVersionOf(resource.kind)}, Kind=${resource.kind.kind}`,
    environment: typedEnvironment(spec, resource, params),
  }));
  const check = (fieldRef: string, expression: string | undefined): ExpressionWarning[] => {
    if (expression === undefined || expression === '') return [];
    const found = environments.flatMap(({ kind, environment }) => {
      const compiled = compile(expression, environment);
      return compiled.program === undefined ? [`${kind}: ${compiled.message}\n`] : [];
    });
    return found.length === 0 ? [] : [{ fieldRef, warning: found.join('\n') }];
  };
  return (spec.validations ?? []).flatMap(({ expression, messageExpression }, index) => [
    ...check(`spec.validations[${index}].expression`, expression),
    ...check(`spec.validations[${index}].messageExpression`, messageExpression),
  ]);
}

/** Kinds that rules name without wildcards, in order. */
function matchedKinds(rules: readonly NamedRuleWithOperations[], resources: ResourceTable): readonly ServedResource[] {
  const found = new Set<ServedResource>();
  for (const { apiGroups = [], apiVersions = [], resources: names = [] } of rules) {
    if ([...apiGroups, ...apiVersions].some((name) => name.includes('*'))) continue;
    for (const group of apiGroups) {
      for (const version of apiVersions) {
        for (const name of names) {
          const resource = /[*/]/.test(name) ? undefined : resources.get(group, version, name);
          if (resource !== undefined && found.size < maxKinds) found.add(resource);
        }
      }
    }
  }
  const key = ({ kind }: ServedResource): string => `${kind.group}/${kind.version}/${kind.kind}`;
  return [...found].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function paramResource(
  { apiVersion = '', kind = '' }: ParamKind,
  resources: ResourceTable,
): ServedResource | undefined {
  return resources.forKind({ ...parseApiVersion(apiVersion), kind });
}

function typedEnvironment(
  { variables = [], paramKind }: ValidatingAdmissionPolicy['spec'],
  resource: ServedResource,
  params: ServedResource | undefined,
): CelEnvironment {
  const object = typeOf(resource);
  const param = params === undefined ? undefined : typeOf(params);
  const types: TypeProvider[] = [object, param].flatMap((own) => (own === undefined ? [] : [own.types]));
  const use = { hasParams: paramKind !== undefined, hasAuthorizer: true };
  const extend = (base: CelEnvironment): CelEnvironment =>
    base.extend({
      types,
      variables: {
        object: object?.root.type ?? dynType,
        oldObject: object?.root.type ?? dynType,
        ...(use.hasParams ? { params: param?.root.type ?? dynType } : {}),
      },
    });
  return composeVariables(variables, use, extend).environment(use);
}

/** The type of a resource's objects, named after its kind. */
function typeOf(resource: ServedResource): ReturnType<typeof nameTypes> | undefined {
  const type = resource.custom === undefined ? declaredTypeOfSchema(resource.schema) : customType(resource);
  return type === undefined ? undefined : nameTypes(type, uniqueName(resource.kind));
}

/** A custom kind's own schema; metadata is as in every object. */
function customType({ custom }: ServedResource): DeclaredType | undefined {
  const props = custom?.published.props;
  const type = props === undefined ? undefined : declaredTypeOf(structuralNode(props), true);
  const metadata = declaredTypeOfSchema(schemaNamed('meta.v1.ObjectMeta'));
  if (type === undefined || metadata === undefined) return type;
  const field: DeclaredField = { property: 'metadata', declared: metadata };
  return declared.object(new Map([...type.fields, ['metadata', field] as const]));
}

/** Types of policies have names that no expression can rely on. */
const uniqueName = ({ group, version, kind }: Kind): string => `${kind}_${group}_${version}`.replaceAll('.', '_');
