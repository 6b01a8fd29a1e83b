/**
 * The example of every operation, sent by the generated client to a running fleet: reads first, then what writes, then what removes.
 * An operation that is added brings its example with it, and is sent here without being named.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient, routes } from '@omnizap/client';
import { startFleet, testDatabaseKinds } from '@omnizap/testkit';
import type { Fleet } from '@omnizap/testkit';
import { filledExample, isPicture, keyFor } from './spec/build-request.ts';
import { checkSchema } from './spec/check-schema.ts';
import { createFixtures } from './spec/create-fixtures.ts';
import type { Fixtures } from './spec/create-fixtures.ts';
import { operationsOf } from './spec/spec.ts';
import type { Example, SpecDocument, SpecOperation } from './spec/spec.ts';

type Sent = { status: number; headers: Headers; body: unknown };
type AnyMethod = (input: object) => Promise<Sent>;

/** Switching flags and pausing queues would change what the others meet. */
const order = ({ method, tag }: SpecOperation): number =>
  method === 'GET' ? 0 : method === 'DELETE' ? 3 : tag === 'admin' ? 2 : 1;

describe.each(testDatabaseKinds())('the examples of the document on %s', (kind) => {
  let fleet: Fleet;
  let fixtures: Fixtures;
  let document: SpecDocument;
  let operations: SpecOperation[];

  beforeAll(async () => {
    fleet = await startFleet(kind);
    fixtures = await createFixtures(fleet);
    const { body } = await createClient({ baseUrl: fleet.apiUrl }).getOpenApi();
    document = body as unknown as SpecDocument;
    operations = operationsOf(document).toSorted((a, b) => order(a) - order(b));
  }, 240_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  /** Sends the example through the method of that name. */
  async function send(operation: SpecOperation, example: Example): Promise<Sent> {
    const client = createClient({ baseUrl: fleet.apiUrl, key: keyFor(operation, fixtures) });
    const { params, query, headers, body, multipart } = example;
    const form = multipart && {
      form: Object.fromEntries(
        Object.entries(multipart).map(([name, value]) => [
          name,
          isPicture(value) ? new Blob([new Uint8Array(value.bytes)]) : value,
        ]),
      ),
    };
    const method = client[operation.id as keyof typeof client] as unknown as AnyMethod;
    return await method({ params, query, headers, body, ...form });
  }

  it('are answered with the status that they promise and a body of the shape that the document describes', async () => {
    const problems: string[] = [];
    for (const operation of operations) {
      const { id, example, responses } = operation;
      if (!example) throw new Error(`${id} has no example`);
      try {
        const { status, headers, body } = await send(operation, await filledExample(example, fixtures));
        if (status !== example.status) problems.push(`${id}: answered ${status}, its example says ${example.status}`);
        const response = responses[String(status)];
        for (const [name, header] of Object.entries(response?.headers ?? {}))
          if (header.required === true && !headers.has(name)) problems.push(`${id}: no header ${name}`);
        const [media] = Object.values(response?.content ?? {});
        if (!media?.schema || media.schema.format === 'binary') continue;
        problems.push(...checkSchema(media.schema, body, { document, isClosed: true }).map((one) => `${id}: ${one}`));
      } catch (error) {
        problems.push(`${id}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }

    expect(problems).toEqual([]);
  }, 120_000);

  it('are sent through a client that has every operation, and no other', () => {
    expect(Object.keys(routes).toSorted()).toEqual(operations.map(({ id }) => id).toSorted());
  });
});
