import { ApiError } from '#machinery/errors.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { dumpYaml } from '#machinery/yaml.ts';
import type { CommandContext } from '../../context.ts';
import type { ResourceInfo } from '../../discovery/mapper.ts';
import { CliError, ExitError } from '../../failures.ts';
import { metadataOf } from '../../manifests/objects.ts';
import { type PrintFlags, printJson } from '../../output/printers.ts';
import { parseManifests } from '../../resources/files.ts';
import { type EditedFile, openEditedFile } from './editor.ts';

/** An object that a person edits, and what it is on the server. */
export interface Edited {
  readonly info: ResourceInfo;
  readonly name: string;
  /** As the file shows it. */
  readonly shown: JsonObject;
}

/** Why the file opens again. */
interface Complaint {
  readonly head: string;
  readonly details: readonly string[];
}

export interface EditSession<Item extends Edited> {
  /** Comments at the top of the file, each line behind `#`. */
  readonly preamble: string;
  readonly flags: Pick<PrintFlags, 'output'>;
  readonly items: readonly Item[];
  /** Saves one object after its edit. Throws ApiError where the server refuses, CliError to end the session. */
  readonly save: (item: Item, after: JsonObject) => Promise<void>;
}

/** Rounds after which somebody who saves one mistake after another is let go. */
const maximumRounds = 100;

/** Has a person edit objects until they can be saved, nothing has changed, or the mistakes stay. */
export async function editObjects<Item extends Edited>(
  context: CommandContext,
  session: EditSession<Item>,
): Promise<number> {
  const file = openEditedFile(context, session.flags.output === 'json' ? '.json' : '.yaml');
  let isKept = false;
  try {
    return await rounds(context, session, file);
  } catch (error) {
    isKept = error instanceof ExitError;
    if (error instanceof CliError && !isKept) {
      isKept = true;
      context.err(`A copy of your changes has been stored to "${file.path}"\n`);
    }
    throw error;
  } finally {
    if (!isKept) file.remove();
  }
}

async function rounds<Item extends Edited>(
  context: CommandContext,
  session: EditSession<Item>,
  file: EditedFile,
): Promise<number> {
  const original = bodyOf(session);
  let body = original;
  let complaints: readonly Complaint[] = [];
  for (let round = 0; round < maximumRounds; round++) {
    const isJson = session.flags.output === 'json';
    const edited = withoutComments(await file.edit(`${isJson ? '' : preambleOf(session, complaints)}${body}`));
    const isSame = edited.trim() === withoutComments(body).trim();
    if (complaints.length > 0 && isSame) throw new CliError('Edit cancelled, no valid changes were saved.');
    if (edited.trim() === withoutComments(original).trim()) return done(context, 'Edit cancelled, no changes made.');
    if (edited.trim() === '') return done(context, 'Edit cancelled, saved file was empty.');
    complaints = await saveAll(context, session, { text: edited, path: file.path });
    if (complaints.length === 0) return 0;
    body = edited;
  }
  return 1;
}

function done(context: CommandContext, why: string): number {
  context.err(`${why}\n`);
  return 0;
}

const withoutComments = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');

function preambleOf<Item extends Edited>({ preamble }: EditSession<Item>, complaints: readonly Complaint[]): string {
  const told = complaints.map(({ head, details }) => {
    const lines = [details.length === 0 ? head : `${head}:`, ...details.map((detail) => `* ${detail}`)];
    return `${lines.map((line) => `# ${line.replaceAll('\n', '\n# ')}\n`).join('')}#\n`;
  });
  return `${preamble}#\n${told.join('')}`;
}

function bodyOf<Item extends Edited>({ items, flags: { output } }: EditSession<Item>): string {
  const [first] = items;
  const all: JsonObject =
    items.length === 1 && first !== undefined
      ? first.shown
      : { apiVersion: 'v1', items: items.map(({ shown }) => shown), kind: 'List', metadata: {} };
  return output === 'json' ? `${printJson(all)}\n` : dumpYaml(all);
}

async function saveAll<Item extends Edited>(
  context: CommandContext,
  { items, save }: EditSession<Item>,
  { text, path }: { readonly text: string; readonly path: string },
): Promise<readonly Complaint[]> {
  const complaints: Complaint[] = [];
  for (const after of parseEdited({ text, path }, items, complaints)) {
    const item = items.length === 1 ? items[0] : items.find(({ shown }) => isSameObject(shown, after));
    if (item === undefined || !isSameObject(item.shown, after)) {
      throw new CliError('At least one of apiVersion, kind and name was changed');
    }
    try {
      await save(item, after);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      complaints.push(complaintOf(context, item, error, path));
    }
  }
  for (const { head } of complaints) context.err(`error: ${head.replace(/was not valid$/, 'is invalid')}\n`);
  return complaints;
}

/** The objects in the file; a text that is no YAML is wrong with the first of those that it should hold. */
function parseEdited(
  { text, path }: { readonly text: string; readonly path: string },
  items: readonly Edited[],
  complaints: Complaint[],
): readonly JsonObject[] {
  try {
    return parseManifests(text, path).map(({ object }) => object);
  } catch (error) {
    if (!(error instanceof CliError) || items[0] === undefined) throw error;
    const why = error.message.replace(/^error parsing .*?: error converting YAML to JSON: /, '');
    const detail = `<nil>: Invalid value: "The edited file failed validation": ${why}`;
    complaints.push({ head: `${nameOf(items[0])} was not valid`, details: [detail] });
    return [];
  }
}

const nameOf = ({ info, name }: Edited): string =>
  `${info.resource}${info.group === '' ? '' : `.${info.group}`} ${JSON.stringify(name)}`;

/** What is wrong with an object may be put right in the file; for anything else the file is kept. */
function complaintOf(context: CommandContext, item: Edited, error: ApiError, path: string): Complaint {
  const what = nameOf(item);
  if (error.reason === 'Invalid') {
    const { causes = [] } = error.status.details ?? {};
    const details = causes.map(({ field = '', message = '' }) => `${field}: ${message}`);
    return { head: `${what} was not valid`, details };
  }
  if (error.reason === 'NotFound') {
    context.err(`error: ${what} could not be found on the server\n`);
    context.err(`The edits you made on deleted resources have been saved to "${path}"\n`);
  } else {
    context.err(`error: ${what} could not be patched: ${error.message}\n`);
    context.err(`You can run \`kubectl replace -f ${path}\` to try this update again.\n`);
  }
  throw new ExitError(1);
}

function isSameObject(left: JsonObject, right: JsonObject): boolean {
  const [a, b] = [metadataOf(left), metadataOf(right)];
  return (
    left['apiVersion'] === right['apiVersion'] &&
    left['kind'] === right['kind'] &&
    a.name === b.name &&
    a.namespace === b.namespace
  );
}
