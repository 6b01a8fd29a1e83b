/** A place for traces on this machine: takes OTLP over HTTP as JSON, and can be told to leave its senders without an answer. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

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
  /** From now on requests are read, and never answered. */
  hang: () => void;
  stop: () => Promise<void>;
};

export async function startTraceSink(): Promise<TraceSink> {
  const [spans, headers]: [SpanJson[], IncomingHttpHeaders[]] = [[], []];
  let isHanging = false;
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      headers.push(request.headers);
      if (isHanging) return;
      spans.push(...spansOf(JSON.parse(body) as Export));
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    headers,
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
