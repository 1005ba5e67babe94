import { dropDisabledTemplateFields } from '#kinds/core/pod/disabled.ts';
import { nameWarnings } from '#kinds/core/pod/warnings/index.ts';
import { defaultTemplate } from '#kinds/core/pod-template/defaults.ts';
import type * as batch from '#kinds/generated/types/batch_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import type { Mutable } from '#machinery/meta.ts';
import { validateJob, validateJobUpdate } from '../validation.ts';
import { jobSpecWarnings } from '../warnings.ts';
import { validateJobStatusUpdate } from './status.ts';

const orphaning =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning';

export const jobRules: KindRules<batch.Job> = {
  validate: validateJob,
  validateUpdate: validateJobUpdate,
  validateStatusUpdate: validateJobStatusUpdate,
  defaults(job) {
    defaultSpec(job.spec);
    defaultLabels(job);
  },
  prepareForCreate(job, context) {
    dropDisabledTemplateFields(job.spec.template, undefined, context);
    // Labels that the job has from its template are the very same, and get what the template gets.
    const { labels } = job.metadata;
    const isShared = labels !== undefined && labels === job.spec.template.metadata?.labels;
    if (job.spec.manualSelector === true) return;
    const { name = '', uid = '' } = job.metadata;
    job.spec.template.metadata ??= {};
    job.spec.template.metadata.labels = {
      'job-name': name,
      'batch.kubernetes.io/job-name': name,
      'controller-uid': uid,
      'batch.kubernetes.io/controller-uid': uid,
      ...job.spec.template.metadata.labels,
    };
    if (isShared) job.metadata.labels = { ...job.spec.template.metadata.labels };
    job.spec.selector ??= {};
    job.spec.selector.matchLabels = { 'batch.kubernetes.io/controller-uid': uid, ...job.spec.selector.matchLabels };
  },
  prepareForUpdate: ({ spec }, old, context) => dropDisabledTemplateFields(spec.template, old.spec.template, context),
  warnings: (job, old) => [
    ...(old === undefined ? nameWarnings(job) : []),
    ...(job.metadata.generation === old?.metadata.generation ? [] : jobSpecWarnings(job.spec, 'spec')),
  ],
  // Defaults meet the object once more when it is read back.
  prepareForStorage: defaultLabels,
  selectableFields: { 'status.successful': (job) => String(job.status?.succeeded ?? 0) },
  defaultPropagation: 'Orphan',
  deletionWarning: ({ propagationPolicy, orphanDependents }) =>
    propagationPolicy === undefined && orphanDependents === undefined ? orphaning : undefined,
};

/** A job is labelled like its pods. */
function defaultLabels({ metadata, spec }: Mutable<batch.Job>): void {
  const labels = spec.template.metadata?.labels;
  if (labels !== undefined && metadata.labels === undefined) metadata.labels = labels;
}

const unlimited = 2 ** 31 - 1;

/** For jobs and for those that are made after a template. */
export function defaultFailurePolicy({ podFailurePolicy }: Mutable<batch.JobSpec>): void {
  for (const rule of podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) {
      if ((pattern.status ?? '') === '') pattern.status = 'True';
    }
  }
}

function defaultSpec(spec: Mutable<batch.JobSpec>): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : unlimited;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
  defaultFailurePolicy(spec);
  defaultTemplate(spec.template);
}
