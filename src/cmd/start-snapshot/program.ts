/**
 * What a snapshot is taken of: `proa up`, loaded, rehearsed and not yet begun. What starts from the snapshot goes on in the
 * function below.
 */
import { startupSnapshot } from 'node:v8';
import { up } from '../commands/up/command.ts';
import { runCommand, untilEnd } from '../run.ts';
import { rehearse } from './rehearsal.ts';

void rehearse();

startupSnapshot.setDeserializeMainFunction(() => {
  const [, , , ...args] = process.argv;
  void untilEnd(() => runCommand(up, args));
});
