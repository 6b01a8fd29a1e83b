/**
 * The reference for the list: a node:http server in a process of its own that knows one answer. `bare-server.ts <file>`: the
 * file is JSON with the headers and the body (base64) to answer with.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const answerSchema = z.object({ headers: z.record(z.string(), z.string()), body: z.base64() });
const { headers, body } = answerSchema.parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')));
const bytes = Buffer.from(body, 'base64');
const unchangedHeaders = { ...headers };
delete unchangedHeaders['content-length'];

const server = createServer((request, response) => {
  if (request.headers['if-none-match'] === headers.etag) response.writeHead(304, unchangedHeaders).end();
  else response.writeHead(200, headers).end(bytes);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ type: 'ready', url: `http://127.0.0.1:${port}` });
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
