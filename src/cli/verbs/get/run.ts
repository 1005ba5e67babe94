import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError, ExitError, UsageError } from '../../failures.ts';
import { tableAccept } from '../../output/table.ts';
import { parseResourceArguments } from '../../resources/arguments.ts';
import { fetchPages, isNotFound, itemsOf, type Query } from '../../resources/fetch.ts';
import { readManifests } from '../../resources/files.ts';
import { placeManifest } from '../../resources/place.ts';
import type { GetFlags } from './flags.ts';
import { type ListPrinter, listPrinter } from './print.ts';
import { watchResources } from './watch.ts';

/** What the command line asks for. */
export interface Request {
  readonly queries: readonly Query[];
  /** One object was named: it is printed by itself, not in a List. */
  readonly isSingle: boolean;
}

/** One or more answers of the server for a query. */
export interface Answer {
  readonly query: Query;
  readonly pages: readonly JsonObject[];
}

export async function runGet(context: CommandContext, flags: GetFlags, args: readonly string[]): Promise<number> {
  if (flags.raw !== undefined) return runRaw(context, flags, args);
  checkFlags(flags, args);
  const printer = await listPrinter(flags);
  const request = await requested(context, flags, args);
  if (flags.watch || flags['watch-only']) return watchResources(context, flags, request);
  const { answers, failures } = await ask(context, flags, request, printer);
  printer.print(context, answers, request);
  if (answers.every(({ pages }) => pages.every(isEmpty)) && failures.length === 0 && !printer.isStructured) {
    if (!flags['ignore-not-found'] || !request.isSingle) sayNothingFound(context, flags, request);
  }
  if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures);
  return 0;
}

function checkFlags(flags: GetFlags, args: readonly string[]): void {
  if (args.length === 0 && flags.filename.length === 0 && flags.kustomize === undefined) {
    throw new ExitError(
      1,
      `You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.\n\nerror: Required resource not specified.\nUse "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).\nSee 'kubectl get -h' for help and examples`,
    );
  }
  if (flags['output-watch-events'] && !flags.watch && !flags['watch-only']) {
    throw new UsageError('--output-watch-events option can only be used with --watch or --watch-only');
  }
  if (flags['show-labels'] && flags.output !== undefined && flags.output !== '' && flags.output !== 'wide') {
    throw new CliError(`--show-labels option cannot be used with ${flags.output} printer`);
  }
}

async function runRaw(context: CommandContext, flags: GetFlags, args: readonly string[]): Promise<number> {
  const uri = flags.raw ?? '';
  if (args.length > 0) throw new CliError('arguments may not be passed when --raw is specified');
  if ((flags.output ?? '') !== '') throw new CliError('--raw and --output are mutually exclusive');
  if (flags.watch || flags['watch-only'] || flags.selector !== undefined)
    throw new CliError(
      '--raw may not be specified with other flags that filter the server request or alter the output',
    );
  if (!uri.startsWith('/'))
    throw new CliError(`--raw must be a valid URL path: parse ${JSON.stringify(uri)}: invalid URI for request`);
  const { body } = await context.stream({ path: uri, accept: '*/*' });
  for await (const chunk of body) context.out(Buffer.from(chunk as Uint8Array).toString('utf8'));
  return 0;
}

async function requested(context: CommandContext, flags: GetFlags, args: readonly string[]): Promise<Request> {
  const selectors = {
    labelSelector: flags.selector,
    fieldSelector: flags['field-selector'],
    subresource: flags.subresource,
  };
  if (flags.filename.length > 0 || flags.kustomize !== undefined) {
    if (args.length > 0) {
      throw new CliError(
        'when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well',
      );
    }
    const manifests = await readManifests(context, flags);
    const queries = await Promise.all(manifests.map(({ object }) => placeManifest(context, object)));
    return {
      queries: queries.map(({ info, namespace, name }) => ({ info, namespace, name, subresource: flags.subresource })),
      isSingle: queries.length === 1,
    };
  }
  const mapper = await context.mapper();
  const { targets, isSingle } = parseResourceArguments(mapper, args);
  if (targets.some(({ name }) => name !== undefined)) {
    if (flags.selector !== undefined) throw new CliError('name cannot be provided when a selector is specified');
    if (flags['all-namespaces']) throw new CliError('a resource cannot be retrieved by name across all namespaces');
  }
  if (flags.subresource !== undefined && flags.subresource !== '' && targets.some(({ name }) => name === undefined))
    throw new CliError('subresource cannot be used when bulk resources are specified');
  const scope = flags['all-namespaces'] ? undefined : context.namespace();
  return {
    queries: targets.map(({ info, name }) => ({
      info,
      name,
      namespace: info.namespaced ? scope : undefined,
      ...selectors,
    })),
    isSingle,
  };
}

async function ask(
  context: CommandContext,
  flags: GetFlags,
  { queries }: Request,
  printer: ListPrinter,
): Promise<{ readonly answers: readonly Answer[]; readonly failures: readonly unknown[] }> {
  const failures: unknown[] = [];
  const answers: Answer[] = [];
  const accept = printer.wantsTable ? tableAccept : 'application/json';
  const query: Record<string, string> =
    printer.wantsTable && flags['sort-by'] !== undefined ? { includeObject: 'Object' } : {};
  for (const each of queries) {
    try {
      answers.push({
        query: each,
        pages: await fetchPages(context, each, { accept, query, chunkSize: flags['chunk-size'] }),
      });
    } catch (error) {
      if (flags['ignore-not-found'] && isNotFound(error)) continue;
      failures.push(error);
    }
  }
  return { answers, failures };
}

function isEmpty(page: JsonObject): boolean {
  if (page['kind'] === 'Table') return ((page['rows'] as readonly unknown[] | null | undefined) ?? []).length === 0;
  return itemsOf(page).length === 0;
}

function sayNothingFound(context: CommandContext, flags: GetFlags, { queries }: Request): void {
  const isScoped = !flags['all-namespaces'] && queries.some(({ info }) => info.namespaced);
  context.err(isScoped ? `No resources found in ${context.namespace()} namespace.\n` : 'No resources found\n');
}
