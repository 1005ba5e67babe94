import type { JsonObject } from '#machinery/meta.ts';
import { CliError } from '../../failures.ts';
import { arrayFlag, integerFlag, textFlag } from '../../flags.ts';
import { defineGenerator } from '../../manifests/generate.ts';
import { metadataOf, valueAt } from '../../manifests/objects.ts';

/** `registry/team/web:1.2@sha256:…` gives `web`: a container's name. */
function nameOfImage(image: string): string {
  const last = image.slice(image.lastIndexOf('/') + 1);
  const name = last.split(/[:@]/)[0] ?? '';
  return name.replaceAll('_', '-');
}

export const deployment = defineGenerator({
  name: 'deployment',
  aliases: ['deploy'],
  summary: 'Create a deployment with the specified name',
  usage: 'NAME --image=image -- [COMMAND] [args...]',
  required: ['image'],
  flags: {
    image: arrayFlag('Image names to run. A deployment can have multiple images set for multi-container pod.'),
    port: integerFlag(-1, 'The containerPort that this deployment exposes.'),
    replicas: integerFlag(1, 'Number of replicas to create. Default is 1.', { short: 'r' }),
  },
  build({ name, command, flags: { image: images, port, replicas } }) {
    if (images.length > 1 && command.length > 0)
      throw new CliError('cannot specify multiple --image options and command');
    if (replicas < 0) throw new CliError('replicas must be a positive number');
    const labels = { app: name };
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, labels },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        strategy: {},
        template: {
          metadata: { labels },
          spec: {
            containers: images.map((image, index) => ({
              name: nameOfImage(image),
              image,
              ...(command.length === 0 ? {} : { command }),
              ...(port < 0 || index > 0 ? {} : { ports: [{ containerPort: port }] }),
              resources: {},
            })),
          },
        },
      },
      status: {},
    };
  },
});

const podOf = (name: string, image: string, command: readonly string[], restartPolicy: string): JsonObject => ({
  metadata: {},
  spec: {
    containers: [{ name, image, ...(command.length === 0 ? {} : { command }), resources: {} }],
    restartPolicy,
  },
});

export const job = defineGenerator({
  name: 'job',
  summary: 'Create a job with the specified name',
  usage: 'NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]',
  flags: {
    from: textFlag('The name of the resource to create a Job from (only cronjob is supported).'),
    image: textFlag('Image name to run.'),
  },
  async build({ name, command, flags: { from, image }, context }) {
    if ((from === undefined) === (image === undefined)) {
      throw new CliError('either --image or --from must be specified');
    }
    if (from !== undefined && command.length > 0) throw new CliError('cannot specify --from and command');
    if (image !== undefined) {
      const spec = { template: podOf(name, image, command, 'Never') };
      return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec, status: {} };
    }
    const [type = '', source = ''] = (from ?? '').split('/');
    const info = (await context.mapper()).resource(type);
    if (info.kind !== 'CronJob')
      throw new CliError(`from must be an existing cronjob: from must be an existing cronjob`);
    const cronjob = await context.request({
      path: `/apis/batch/v1/namespaces/${context.namespace()}/cronjobs/${source}`,
    });
    return jobOf(name, cronjob);
  },
});

/** A run of a cron job by hand. */
function jobOf(name: string, cronjob: JsonObject): JsonObject {
  const template = (valueAt(cronjob, 'spec', 'jobTemplate') ?? {}) as JsonObject;
  const { labels, annotations } = metadataOf(template);
  const { name: owner = '', uid = '' } = metadataOf(cronjob);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      annotations: { ...annotations, 'cronjob.kubernetes.io/instantiate': 'manual' },
      ...(labels === undefined ? {} : { labels }),
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: owner, uid, controller: true }],
    },
    spec: template['spec'],
    status: {},
  };
}

export const cronJob = defineGenerator({
  name: 'cronjob',
  aliases: ['cj'],
  summary: 'Create a cron job with the specified name',
  usage: "NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...]",
  flags: {
    image: textFlag('Image name to run.'),
    restart: textFlag("job's restart policy. supported values: OnFailure, Never"),
    schedule: textFlag('A schedule in the Cron format the job should be run with.'),
  },
  build({ name, command, flags: { image, restart = 'OnFailure', schedule } }) {
    const missing = [...(image === undefined ? ['image'] : []), ...(schedule === undefined ? ['schedule'] : [])];
    if (image === undefined || schedule === undefined) {
      throw new CliError(`required flag(s) ${missing.map((flag) => `"${flag}"`).join(', ')} not set`);
    }
    return {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name },
      spec: {
        jobTemplate: { metadata: { name }, spec: { template: podOf(name, image, command, restart) } },
        schedule,
      },
      status: {},
    };
  },
});
