// Runs inside a test container, on the bundled Node.
const { createServer } = require('node:http');
const { hostname } = require('node:os');

let healthy = true;
const server = createServer((request, response) => {
  const [, first, second] = request.url.split(/[/?]/);
  if (first === 'exit') process.exit(Number(second));
  if (first === 'fail') healthy = false;
  if (first === 'healthz') {
    response.statusCode = healthy ? 200 : 500;
    response.end(healthy ? 'ok\n' : 'failing\n');
  } else if (first === 'env') {
    response.end(JSON.stringify(process.env));
  } else if (first === 'echo') {
    const { method, url, headers, socket } = request;
    response.end(JSON.stringify({ method, url, headers, client: socket.remoteAddress, host: hostname() }));
  } else {
    response.end(`${hostname()}\n`);
  }
});
server.listen(Number(process.env.PORT ?? 8080));
process.on('SIGTERM', () => process.exit(0));
