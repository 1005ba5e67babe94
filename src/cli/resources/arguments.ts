import type { ResourceInfo, RestMapper } from '../discovery/mapper.ts';
import { CliError, UsageError } from '../failures.ts';

/** What `TYPE[,TYPE] [NAME…]` or `TYPE/NAME…` asks for. */
export interface ResourceTarget {
  readonly info: ResourceInfo;
  /** Absent: all of the type. */
  readonly name: string | undefined;
}

export interface ParsedArguments {
  readonly targets: readonly ResourceTarget[];
  /** One type with one name was asked for: results are printed as one object, not as a list. */
  readonly isSingle: boolean;
}

/** Reads types and names of resources; categories (`all`) stand for their members. Throws CliError. */
export function parseResourceArguments(mapper: RestMapper, args: readonly string[]): ParsedArguments {
  if (args.some((arg) => arg.includes('/'))) return slashed(mapper, args);
  const [types = '', ...names] = args;
  const infos = types
    .split(',')
    .filter((type, index, all) => all.indexOf(type) === index)
    .flatMap((type) => expand(mapper, type));
  const isCategory = infos.length > types.split(',').length;
  if (names.length === 0) return { targets: infos.map((info) => ({ info, name: undefined })), isSingle: false };
  if (isCategory) throw new CliError('there is no need to specify names together with a category of resources');
  const unique = [...new Set(names)];
  return {
    targets: infos.flatMap((info) => unique.map((name) => ({ info, name }))),
    isSingle: infos.length === 1 && unique.length === 1,
  };
}

function expand(mapper: RestMapper, type: string): readonly ResourceInfo[] {
  if (type === '') throw new CliError('arguments in resource/name form may not have more than one slash');
  const members = mapper.tryResource(type) === undefined ? mapper.category(type.toLowerCase()) : [];
  return members.length > 0 ? members : [mapper.resource(type)];
}

function slashed(mapper: RestMapper, args: readonly string[]): ParsedArguments {
  const targets = args.flatMap((arg) => {
    const pieces = arg.split('/');
    if (pieces.length === 1) {
      throw new CliError(
        "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
      );
    }
    if (pieces.length > 2) throw new CliError('arguments in resource/name form may not have more than one slash');
    const [type = '', name = ''] = pieces;
    if (type === '' || name === '') {
      throw new CliError('arguments in resource/name form must have a single resource and name');
    }
    return type.split(',').map((each) => ({ info: mapper.resource(each), name }));
  });
  return { targets, isSingle: targets.length === 1 };
}

/** The one object that an argument like `pod/web`, `deploy web` or, of `defaultType`, `web` names. */
export function parseSingle(
  mapper: RestMapper,
  args: readonly string[],
  defaultType?: string,
): { readonly info: ResourceInfo; readonly name: string } {
  const withType =
    args.length === 1 && !args[0]!.includes('/') && defaultType !== undefined ? [defaultType, ...args] : args;
  const { targets } = parseResourceArguments(mapper, withType);
  const [target] = targets;
  if (targets.length !== 1 || target?.name === undefined) throw new UsageError('exactly one resource must be named');
  return { info: target.info, name: target.name };
}
