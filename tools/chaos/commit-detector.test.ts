import { describe, expect, it } from '@jest/globals';
import { createCommitDetector } from './commit-detector.ts';
import type { WireProtocol } from './commit-detector.ts';

/** PostgreSQL: type, length, text. */
function message(type: string, ...parts: (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const query = (text: string): Buffer => message('Q', `${text}\0`);
const extended = (text: string): Buffer =>
  Buffer.concat([
    message('P', `\0${text}\0`, Buffer.alloc(2)),
    message('B', Buffer.alloc(8)),
    message('E', Buffer.alloc(5)),
    message('S'),
  ]);
const ready = message('Z', 'I');

function startup(): Buffer {
  const body = Buffer.from('\0\x03\0\0user\0omnizap\0\0');
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
}

/** MySQL: three bytes of length, sequence number, command, text. */
function packet(text: string, command = 3, sequence = 0): Buffer {
  const body = Buffer.concat([Buffer.from([command]), Buffer.from(text)]);
  return Buffer.concat([Buffer.from([body.length & 255, body.length >> 8, 0, sequence]), body]);
}

const dialects: Record<WireProtocol, { greeting: Buffer; say: (text: string) => Buffer }> = {
  postgres: { greeting: startup(), say: query },
  mysql: { greeting: packet('hello', 0x8d, 1), say: (text) => packet(text) },
};

describe.each(Object.keys(dialects) as WireProtocol[])('commit points on %s', (protocol) => {
  const { greeting, say } = dialects[protocol];
  const afterGreeting = () => {
    const detector = createCommitDetector(protocol);
    expect(detector.fromClient(greeting)).toBe(false);
    return detector;
  };

  it('finds the COMMIT of a transaction and not the statements in it', () => {
    const detector = afterGreeting();

    const found = ['BEGIN;', 'INSERT INTO t VALUES (1)', 'UPDATE t SET a = 2', 'COMMIT;'].map((text) =>
      detector.fromClient(say(text)),
    );

    expect(found).toEqual([false, false, false, true]);
  });

  it('takes a change outside of a transaction for the commit that it is', () => {
    const detector = afterGreeting();

    const found = ['SELECT 1', 'update t set a = 1', 'WITH n AS (SELECT 1) UPDATE t SET a = 1', 'SET x = 1'].map(
      (text) => detector.fromClient(say(text)),
    );

    expect(found).toEqual([false, true, true, false]);
  });

  it('knows that a transaction is over after a rollback, but not after one to a savepoint', () => {
    const detector = afterGreeting();
    detector.fromClient(say('BEGIN'));
    detector.fromClient(say('ROLLBACK TO SAVEPOINT a'));

    expect(detector.fromClient(say('DELETE FROM t'))).toBe(false);
    detector.fromClient(say('ROLLBACK'));
    expect(detector.fromClient(say('DELETE FROM t'))).toBe(true);
  });

  it('does not take text that speaks of committing for a commit', () => {
    const detector = afterGreeting();

    expect(detector.fromClient(say("SELECT 'COMMIT'"))).toBe(false);
    expect(detector.fromClient(say('SELECT committed FROM t'))).toBe(false);
  });

  it('does not depend on how the bytes are cut', () => {
    const stream = Buffer.concat([greeting, say('BEGIN'), say('INSERT INTO t VALUES (1)'), say('COMMIT')]);
    const detector = createCommitDetector(protocol);

    const found = [...stream].map((byte) => detector.fromClient(Buffer.from([byte])));

    expect(found.indexOf(true)).toBe(stream.length - 1);
  });
});

describe('answers of PostgreSQL', () => {
  it('are complete with ReadyForQuery, however they are cut', () => {
    const detector = createCommitDetector('postgres');
    const answer = Buffer.concat([message('C', 'COMMIT\0'), ready]);

    const complete = [...answer].map((byte) => detector.fromServer(Buffer.from([byte])));

    expect(complete.indexOf(true)).toBe(answer.length - 1);
  });

  it('are followed behind the one letter that refuses TLS', () => {
    const detector = createCommitDetector('postgres');
    const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
    detector.fromClient(sslRequest);

    expect(detector.fromServer(Buffer.from('N'))).toBe(false);
    detector.fromClient(startup());
    expect(detector.fromServer(ready)).toBe(true);
    expect(detector.fromClient(query('COMMIT'))).toBe(true);
  });
});

it('takes an extended query of PostgreSQL for a commit point at its Sync', () => {
  const detector = createCommitDetector('postgres');
  detector.fromClient(startup());
  const bytes = extended('UPDATE t SET a = $1');

  expect(detector.fromClient(bytes.subarray(0, -5))).toBe(false);
  expect(detector.fromClient(bytes.subarray(-5))).toBe(true);
  expect(detector.fromClient(extended('SELECT $1'))).toBe(false);
});
