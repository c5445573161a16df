// A proxy on loopback that says what a script tells it to say before it lets a request through to the gateway.

import { once } from 'node:events';
import { createServer } from 'node:http';

const OWN = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'accept-encoding', 'content-encoding']);
const without = (headers) => Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.has(name)));
const problem = { success: false, errors: [{ code: 7000, message: 'scripted' }], messages: [], result: null };

/** `says`: `[status, headers]` in order; past them everything passes. Runs `body` with its URL and the list of what was asked. */
export async function throughProxy(target, says, body) {
  const asked = [];
  const script = [...says];
  const server = createServer(async (request, answer) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    asked.push(request.headers['x-stainless-retry-count']);
    const said = script.shift();
    if (said) {
      answer.writeHead(said[0], { 'content-type': 'application/json', ...said[1] }).end(JSON.stringify(problem));
      return;
    }
    const { method, url } = request;
    const through = await fetch(target + url, { method, headers: without(request.headers), body: parts.length ? Buffer.concat(parts) : undefined });
    const text = await through.text();
    answer.writeHead(through.status, without(Object.fromEntries(through.headers))).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await body(`http://127.0.0.1:${server.address().port}`, asked);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
