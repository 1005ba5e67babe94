import { createSocket } from 'node:dgram';
import { connect } from 'node:net';

export interface Question {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  /** The client's own port, for UDP flows that go on. */
  readonly fromPort?: number;
}

const patienceMs = 1500;

/** What the far side says (its name and the address that it sees), or the code of the error: `ETIMEDOUT`, … */
export function ask(question: Question): Promise<string> {
  return question.protocol === 'tcp' ? askTcp(question) : askUdp(question);
}

function askTcp({ address, port }: Question): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    let text = '';
    const timer = setTimeout(() => {
      socket.destroy();
      resolve('ETIMEDOUT');
    }, patienceMs);
    const finish = (answer: string): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => finish(text));
    socket.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
  });
}

function askUdp({ address, port, fromPort }: Question): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const finish = (answer: string): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => finish('ETIMEDOUT'), patienceMs);
    socket.on('message', (message) => finish(String(message)));
    socket.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    socket.bind(fromPort ?? 0, () => socket.connect(port, address, () => socket.send('?')));
  });
}
