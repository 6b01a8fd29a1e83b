/**
 * Reads along on a database connection and tells where a transaction is about to commit, and when the server has answered that.
 * Knows as much of both wire protocols as that takes; TLS is not used between a chaos fleet and its databases.
 *
 * A commit point is COMMIT, or a statement that changes data outside of a transaction.
 */

export type CommitDetector = {
  /** True when the bytes hold the end of a commit point. */
  fromClient: (bytes: Buffer) => boolean;
  /** True, once, when a transaction has begun since it was asked last. */
  hasBegun: () => boolean;
  /** True when the bytes complete the answer to what was asked last. */
  fromServer: (bytes: Buffer) => boolean;
};

export type WireProtocol = 'postgres' | 'mysql';

export function createCommitDetector(protocol: WireProtocol): CommitDetector {
  return protocol === 'postgres' ? detectPostgres() : detectMysql();
}

const begins = /^\s*(?:BEGIN|START\s+TRANSACTION)\b/i;
const ends = /^\s*(?:COMMIT|END|ROLLBACK(?!\s+TO))\b/i;
const commits = /^\s*(?:COMMIT|END)\b/i;
const changes = /^\s*(?:INSERT|UPDATE|DELETE|REPLACE|WITH)\b/i;

/** Follows the statements of one session. */
function followStatements(): { isCommitPoint: (text: string) => boolean; takeBegun: () => boolean } {
  let isInTransaction = false;
  let hasBegun = false;
  return {
    isCommitPoint(text) {
      const wasInTransaction = isInTransaction;
      if (begins.test(text)) isInTransaction = hasBegun = true;
      else if (ends.test(text)) isInTransaction = false;
      return commits.test(text) || (!wasInTransaction && changes.test(text));
    },
    takeBegun() {
      const taken = hasBegun;
      hasBegun = false;
      return taken;
    },
  };
}

/** PostgreSQL, frontend/backend protocol 3.0: a type byte and a length that counts itself, except for the first message. */
function detectPostgres(): CommitDetector {
  const sslRequest = 80_877_103;
  const { isCommitPoint, takeBegun } = followStatements();
  let isStarted = false;
  /** Of an extended query, which takes effect at its Sync. */
  let isPrepared = false;
  let isSslAsked = false;
  let client = Buffer.alloc(0);
  let server = Buffer.alloc(0);

  return {
    hasBegun: takeBegun,
    fromClient(bytes) {
      client = Buffer.concat([client, bytes]);
      let isFound = false;
      for (;;) {
        const head = isStarted ? 1 : 0;
        if (client.length < head + 4) return isFound;
        const end = head + client.readInt32BE(head);
        if (client.length < end) return isFound;
        const message = client.subarray(0, end);
        client = client.subarray(end);
        if (!isStarted) {
          isSslAsked = message.length >= 8 && message.readInt32BE(4) === sslRequest;
          isStarted = !isSslAsked;
          continue;
        }
        const type = String.fromCharCode(message[0] ?? 0);
        if (type === 'Q' && isCommitPoint(readText(message, 5))) isFound = true;
        if (type === 'P') isPrepared = isCommitPoint(readText(message, message.indexOf(0, 5) + 1)) || isPrepared;
        if (type === 'S' && isPrepared) {
          isFound = true;
          isPrepared = false;
        }
      }
    },
    fromServer(bytes) {
      server = Buffer.concat([server, bytes]);
      if (isSslAsked && server.length > 0) {
        // One letter without a length answers the question for TLS.
        server = server.subarray(1);
        isSslAsked = false;
      }
      let isReady = false;
      while (server.length >= 5) {
        const end = 1 + server.readInt32BE(1);
        if (server.length < end) break;
        if (server[0] === 'Z'.charCodeAt(0)) isReady = true;
        server = server.subarray(end);
      }
      return isReady;
    },
  };
}

/** MySQL client/server protocol: three bytes of length, a sequence number that is 0 at the start of a command, the command. */
function detectMysql(): CommitDetector {
  const [comQuery, comPrepare] = [0x03, 0x16];
  const { isCommitPoint, takeBegun } = followStatements();
  let client = Buffer.alloc(0);

  return {
    hasBegun: takeBegun,
    fromClient(bytes) {
      client = Buffer.concat([client, bytes]);
      let isFound = false;
      for (;;) {
        if (client.length < 4) return isFound;
        const end = 4 + client.readUIntLE(0, 3);
        if (client.length < end) return isFound;
        const packet = client.subarray(0, end);
        client = client.subarray(end);
        const isCommand = packet[3] === 0 && packet.length > 5;
        if (
          isCommand &&
          (packet[4] === comQuery || packet[4] === comPrepare) &&
          isCommitPoint(packet.toString('utf8', 5))
        )
          isFound = true;
      }
    },
    // What changes data is answered by one packet, sent when it is committed.
    fromServer: (bytes) => bytes.length > 0,
  };
}

function readText(message: Buffer, start: number): string {
  const end = message.indexOf(0, start);
  return message.toString('utf8', start, end < 0 ? message.length : end);
}
