import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';

/** A text in a file that the person's editor opens; `remove` takes the file away. */
export interface EditedFile {
  readonly path: string;
  /** Opens the editor on this text and resolves with what was saved. */
  edit(text: string): Promise<string>;
  remove(): void;
}

/** Makes the file. KUBE_EDITOR goes before EDITOR; without either it is `vi`. */
export function openEditedFile(context: CommandContext, extension: string): EditedFile {
  const folder = mkdtempSync(join(tmpdir(), 'kubectl-edit-'));
  const path = join(folder, `edit${extension}`);
  const { env } = context.io;
  const editor = env['KUBE_EDITOR'] || env['EDITOR'] || 'vi';
  return {
    path,
    async edit(text) {
      writeFileSync(path, text, { mode: 0o600 });
      await runEditor(editor, path, env);
      return readFileSync(path, 'utf8');
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function runEditor(editor: string, path: string, env: CommandContext['io']['env']): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = new CliError(`there was a problem with the editor "${editor}"`);
    // The variable may hold flags and quotes, as every program that honours it allows.
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', path], {
      stdio: 'inherit',
      env: env as NodeJS.ProcessEnv,
    });
    child.once('error', () => reject(failed));
    child.once('exit', (code) => (code === 0 ? resolve() : reject(failed)));
  });
}
