/** A place for traces on this machine: takes OTLP over HTTP, reads what is JSON, and can be told to leave its senders without an answer. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** As OTLP numbers them. */
export const spanKinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };

export type SpanJson = {
  service: string;
  resource: Record<string, unknown>;
  name: string;
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  traceState?: string;
  attributes: Record<string, unknown>;
  links: { traceId: string; spanId: string }[];
  isError: boolean;
};
type Attribute = { key: string; value: Record<string, unknown> };
type Export = {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: {
      spans: (Omit<SpanJson, 'service' | 'attributes' | 'resource' | 'isError'> & {
        attributes: Attribute[];
        links?: SpanJson['links'];
        status?: { code?: number };
      })[];
    }[];
  }[];
};

export type TraceSink = {
  url: string;
  spans: SpanJson[];
  headers: IncomingHttpHeaders[];
  /** What came as protobuf, as it is: names are bytes of UTF-8 in it, and ids their 16 or 8 bytes. */
  protobuf: { contentType: string; path: string; body: Buffer }[];
  /** From now on requests are read, and never answered. */
  hang: () => void;
  stop: () => Promise<void>;
};

export async function startTraceSink(): Promise<TraceSink> {
  const [spans, headers, protobuf]: [SpanJson[], IncomingHttpHeaders[], TraceSink['protobuf']] = [[], [], []];
  let isHanging = false;
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const contentType = String(request.headers['content-type']);
      headers.push(request.headers);
      if (isHanging) return;
      const isJson = contentType === 'application/json';
      if (isJson) spans.push(...spansOf(JSON.parse(body.toString()) as Export));
      else protobuf.push({ contentType, path: request.url ?? '', body });
      // An empty answer of protobuf is one with nothing to say.
      response.writeHead(200, { 'Content-Type': contentType }).end(isJson ? '{}' : '');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    headers,
    protobuf,
    hang: () => void (isHanging = true),
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function spansOf({ resourceSpans }: Export): SpanJson[] {
  return resourceSpans.flatMap(({ resource: { attributes: ofProcess }, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ attributes, links = [], status, ...span }) => ({
        ...span,
        links,
        isError: status?.code === 2,
        resource: valuesOf(ofProcess),
        service: String(valuesOf(ofProcess)['service.name']),
        attributes: valuesOf(attributes),
      })),
    ),
  );
}

function valuesOf(attributes: Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
