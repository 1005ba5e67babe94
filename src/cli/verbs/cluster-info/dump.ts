import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ApiError } from '#machinery/errors.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { type ResourceInfo, resourcePath } from '../../discovery/mapper.ts';
import { booleanFlag, durationFlag, listFlag, textFlag, textFlagWith } from '../../flags.ts';
import { printFlags, typedPrinter } from '../../output/printers.ts';
import { defineVerb } from '../../verb.ts';

/** What is told of each namespace, in order. */
const types = [
  'events',
  'replicationcontrollers',
  'services',
  'daemonsets.apps',
  'deployments.apps',
  'replicasets.apps',
  'pods',
] as const;

/** Writes a text under a name: into a folder's file, or to standard output. */
type Write = (name: string, text: string) => void;

export const dump = defineVerb({
  name: 'dump',
  summary: 'Dump relevant information for debugging and diagnosis',
  usage: '[--namespaces=NAMESPACES] [--output-directory=DIRECTORY]',
  flags: {
    ...printFlags,
    'all-namespaces': booleanFlag('If true, dump all namespaces.', { short: 'A' }),
    namespaces: listFlag('A comma separated list of namespaces to dump.'),
    output: textFlagWith('json', printFlags.output.usage, { short: 'o' }),
    'pod-running-timeout': durationFlag(20_000, 'Kept for scripts: logs are read of what runs or has run.'),
    'output-directory': textFlag(
      "Where to output the files. If empty or '-' uses stdout, otherwise creates a directory hierarchy in that directory",
    ),
  },
  async run(context, flags) {
    const { output, 'output-directory': folder = '-' } = flags;
    const printer = (await typedPrinter({ ...flags, output }))!;
    const write: Write = (name, text) => {
      if (folder === '-' || folder === '') {
        context.out(text);
        return;
      }
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    };
    const mapper = await context.mapper();
    const list = (info: ResourceInfo, namespace?: string) =>
      context.request({ path: resourcePath(info, { namespace }) });
    const extension = output === 'yaml' ? 'yaml' : 'json';
    write(`nodes.${extension}`, printer(await list(mapper.resource('nodes'))));
    const namespaces = flags['all-namespaces']
      ? itemNames(await list(mapper.resource('namespaces')))
      : flags.namespaces.length > 0
        ? flags.namespaces
        : ['kube-system', context.namespace()].filter((name, index, all) => all.indexOf(name) === index);
    for (const namespace of namespaces) {
      for (const type of types) {
        const info = mapper.resource(type);
        const found = await list(info, namespace);
        write(`${namespace}/${info.resource}.${extension}`, printer(found));
        if (info.resource === 'pods') await dumpLogs(context, write, found);
      }
    }
    if (folder !== '-' && folder !== '') context.out(`Cluster info dumped to ${folder}\n`);
    return 0;
  },
});

const itemNames = (list: JsonObject): readonly string[] =>
  (list['items'] as readonly { readonly metadata: { readonly name: string } }[]).map(({ metadata }) => metadata.name);

interface PodLike {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly containers: readonly { readonly name: string }[] };
}

async function dumpLogs(context: CommandContext, write: Write, pods: JsonObject): Promise<void> {
  for (const { metadata, spec } of pods['items'] as unknown as readonly PodLike[]) {
    const { namespace, name } = metadata;
    for (const container of spec.containers) {
      const path = `/api/v1/namespaces/${namespace}/pods/${name}/log?container=${container.name}`;
      const text = await context
        .client()
        .rawText({ path, signal: context.signal })
        .catch((error: unknown) => {
          // A container without logs must not hide the others'.
          if (error instanceof ApiError) return `Request log error: ${error.message}\n`;
          throw error;
        });
      const about = `logs for container ${container.name} of pod ${namespace}/${name}`;
      write(
        `${namespace}/${name}/${container.name}/logs.txt`,
        `==== START ${about} ====\n${text}==== END ${about} ====\n`,
      );
    }
  }
}
