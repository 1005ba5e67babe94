import { Duplex } from 'node:stream';
import type { WebSocketConnection } from './connection.ts';

/** The bytes inside binary messages as a duplex: how SPDY travels through a WebSocket. */
export function tunnelDuplex(connection: WebSocketConnection): Duplex {
  const messages = connection.messages();
  return new Duplex({
    allowHalfOpen: true,
    read() {
      messages.next().then(
        ({ value, done }) => this.push(done ? null : value.data),
        (error: Error) => this.destroy(error),
      );
    },
    write(chunk: Buffer, _encoding, callback) {
      connection.send('binary', chunk).then(() => callback(), callback);
    },
    final(callback) {
      connection.close();
      callback();
    },
    destroy(error, callback) {
      connection.destroy();
      callback(error);
    },
  });
}
