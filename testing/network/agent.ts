/**
 * Runs in a network namespace of its own, as a pod or as a machine outside: serves TCP and UDP on port 8080, answering
 * with its name and the client's address, and connects where the parent process tells it to.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { ask, type Question } from './ask.ts';

const name = process.argv[2] ?? '';
const port = 8080;

createServer((socket) => {
  socket.on('error', () => {});
  socket.end(`${name} ${socket.remoteAddress?.replace('::ffff:', '')}`);
}).listen(port, '0.0.0.0');

const datagrams = createSocket('udp4');
datagrams.on('message', (_, from) => datagrams.send(`${name} ${from.address}`, from.port, from.address));
datagrams.bind(port, () => process.send?.({ ready: true }));

process.on('message', (question: Question & { readonly id: number }) => {
  void ask(question).then((answer) => process.send?.({ id: question.id, answer }));
});
process.on('disconnect', () => process.exit(0));
