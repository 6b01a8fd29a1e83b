/**
 * A server that speaks just enough of S3 to be written to and read from, in a process of its own. It keeps everything in memory, checks
 * no signature and no clock, and costs next to nothing: what is measured against it is our own side alone. It is not a server to test with:
 * that is OpenStack Swift.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type StoredObject = { bytes: Buffer; headers: Record<string, string> };

/** By path: bucket and key. */
const objects = new Map<string, StoredObject>();
const emptyList =
  '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>';

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const isBucket = !pathname.replace(/^\/|\/$/g, '').includes('/');
  if (request.method === 'PUT') {
    const bytes = Buffer.concat((await request.toArray()) as Buffer[]);
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
    const type = request.headers['content-type'] ?? 'application/octet-stream';
    if (!isBucket)
      objects.set(pathname, {
        bytes,
        headers: { etag, 'content-type': type, 'content-length': String(bytes.length) },
      });
    response.writeHead(200, { etag, 'content-length': '0' }).end();
    return;
  }
  if (isBucket) {
    response.writeHead(200, { 'content-type': 'application/xml', 'content-length': String(emptyList.length) });
    response.end(request.method === 'HEAD' ? undefined : emptyList);
    return;
  }
  const found = objects.get(pathname);
  if (found === undefined) response.writeHead(404, { 'content-length': '0' }).end();
  else response.writeHead(200, found.headers).end(request.method === 'HEAD' ? undefined : found.bytes);
}

const server = createServer((request, response) => {
  void answer(request, response).catch(() => response.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ type: 'ready', url: `http://127.0.0.1:${port}` });
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
