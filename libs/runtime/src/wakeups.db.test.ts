import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, freePort, waitFor, type TestDatabase } from '@omnizap/testkit';
import pg from 'pg';
import { createLogger } from './log.ts';
import { createWakeups, type Wakeups } from './wakeups.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });

describe('wakeups', () => {
  let test: TestDatabase;
  const connected: Wakeups[] = [];
  beforeAll(async () => {
    test = await createTestDatabase('postgres');
  });
  afterEach(async () => {
    for (const wakeups of connected.splice(0)) await wakeups.stop();
  });
  afterAll(() => test.drop());

  /** Each has a connection of its own, as two processes have. */
  async function connect(queueUrl = test.queueUrl): Promise<Wakeups> {
    const wakeups = createWakeups({ queueUrl, log });
    connected.push(wakeups);
    await wakeups.start();
    return wakeups;
  }

  function count(wakeups: Wakeups, topic: string): { heard: number; off: () => void } {
    const counter = { heard: 0, off: () => undefined as void };
    counter.off = wakeups.on(topic, () => (counter.heard += 1));
    return counter;
  }

  it('reach every listener of the topic in other processes and in their own, and nobody else', async () => {
    const [sender, receiver] = [await connect(), await connect()];
    const [own, other, stranger] = [
      count(sender, 'outbox'),
      count(receiver, 'outbox'),
      count(receiver, "it's another topic"),
    ];

    sender.notify('outbox');

    await waitFor(() => own.heard === 1 && other.heard === 1);
    expect(stranger.heard).toBe(0);
    sender.notify("it's another topic");
    await waitFor(() => stranger.heard === 1);
  });

  it('merge a burst into one', async () => {
    const [sender, receiver] = [await connect(), await connect()];
    const [burst, end] = [count(receiver, 'burst'), count(receiver, 'end')];

    for (let index = 0; index < 500; index += 1) sender.notify('burst');
    await waitFor(() => burst.heard > 0);
    sender.notify('end');
    await waitFor(() => end.heard === 1);

    expect(burst.heard).toBe(1);
  });

  it('are no longer heard after unsubscribing', async () => {
    const wakeups = await connect();
    const [gone, staying] = [count(wakeups, 'topic'), count(wakeups, 'topic')];

    gone.off();
    wakeups.notify('topic');

    await waitFor(() => staying.heard === 1);
    expect(gone.heard).toBe(0);
  });

  it('wake every listener after a lost connection, because some may have been lost, and then work again', async () => {
    const [sender, receiver] = [await connect(), await connect()];
    const [one, two] = [count(receiver, 'one'), count(receiver, 'two')];
    const client = new pg.Client({ connectionString: test.queueUrl });
    await client.connect();

    const { rowCount } = await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'omnizap wakeups' AND datname = current_database()`,
    );
    await client.end();

    expect(rowCount).toBe(2);
    await waitFor(() => one.heard === 1 && two.heard === 1, { description: 'everybody to be woken' });
    await waitFor(() => {
      sender.notify('one');
      return one.heard > 1;
    });
    expect(two.heard).toBe(1);
  });

  it('start, are announced and stop without a server: a hint is never worth an error', async () => {
    const wakeups = await connect(`postgres://nobody@127.0.0.1:${await freePort()}/nothing`);

    for (let index = 0; index < 10; index += 1) wakeups.notify('outbox');
    await wakeups.stop();

    expect(() => wakeups.notify('outbox')).not.toThrow();
  });
});
