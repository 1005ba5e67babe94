import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import type { NormalAnswer } from '../normal-form.ts';
import { admission } from './admission.ts';
import { appliers } from './appliers.ts';
import { autoscalers } from './autoscalers.ts';
import { bodies } from './bodies.ts';
import { customVersions } from './custom-versions.ts';
import { definitionsAndObjects } from './definitions.ts';
import { deletions } from './deletions.ts';
import { documents } from './documents.ts';
import { forms } from './forms.ts';
import { generations } from './generations.ts';
import { headers } from './headers.ts';
import { identitiesAndReviews } from './identities.ts';
import { jsonPatches } from './json-patches.ts';
import { listing } from './listing.ts';
import { managedFields } from './managed-fields.ts';
import { places } from './places.ts';
import { scales } from './scales.ts';
import type { Step } from './sequence.ts';
import { strategic } from './strategic.ts';
import { subresources } from './subresources.ts';
import { suspendedJobs } from './suspended-jobs.ts';
import { verdicts } from './verdicts.ts';

/** Every sequence, by a name for it. */
export const sequences: Readonly<Record<string, readonly Step[]>> = {
  admission,
  appliers,
  autoscalers,
  bodies,
  customVersions,
  definitionsAndObjects,
  deletions,
  documents,
  forms,
  generations,
  headers,
  identitiesAndReviews,
  jsonPatches,
  listing,
  managedFields,
  places,
  scales,
  strategic,
  subresources,
  suspendedJobs,
  verdicts,
};

export type RecordedSequences = Readonly<Record<string, readonly (NormalAnswer | null)[]>>;

export const sequenceFile = join(import.meta.dirname, 'recorded.json.br');

/** What the official server answered to them. */
export function readSequences(): RecordedSequences {
  return JSON.parse(brotliDecompressSync(readFileSync(sequenceFile)).toString()) as RecordedSequences;
}
