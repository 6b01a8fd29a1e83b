/**
 * A TCP proxy between one process of the fleet and one database, with the ways in which a network fails: cut, reset, silence in
 * one or both directions, delay, and a connection that breaks at a commit, before or after it took effect.
 *
 * Silence keeps what was sent and delivers it when it ends, as TCP does: bytes that vanish inside a stream do not exist.
 */
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { createCommitDetector } from './commit-detector.ts';
import type { WireProtocol } from './commit-detector.ts';

/** `up` is from the process to the database. */
export type Direction = 'up' | 'down';

export type CommitFault = {
  /** `swallow`: the server commits, its answer is never seen. `refuse`: the commit never reaches the server. */
  action: 'swallow' | 'refuse';
  /** Asked at each commit point. */
  isHit: () => boolean;
  /** How long the client waits in vain before its connection breaks. */
  silenceMs: number;
};

export type Proxy = {
  port: number;
  /** Ends every connection and refuses new ones until `heal`. */
  cut: () => void;
  /** Breaks every connection with a RST; new ones pass. */
  reset: () => number;
  /** Nothing gets through in these directions until `heal`; nobody is told. */
  silence: (directions: Direction[]) => void;
  delay: (milliseconds: number) => void;
  faultCommits: (fault: CommitFault | null) => void;
  /** Until `heal`, each connection that begins a transaction is silent for that long first. */
  stallTransactions: (milliseconds: number) => void;
  /** Everything passes again. With `isReset` connections that went silent break now instead of going on. */
  heal: (isReset?: boolean) => void;
  /** How many commits and transactions were hit so far. */
  hits: () => number;
  /** True when the connection from that port to the database was this proxy's at that time (ms since the epoch). */
  hadPort: (port: number, atMs: number) => boolean;
  close: () => Promise<void>;
};

type Link = { client: Socket; server: Socket; pump: () => void; destroy: (isReset: boolean) => void };

/** Clocks of the history and of this process are the same machine's, but not read at the same instant. */
const clockSlackMs = 50;

export async function createProxy(
  protocol: WireProtocol,
  target: () => { host: string; port: number },
): Promise<Proxy> {
  const links = new Set<Link>();
  const ports: { port: number; openedAt: number; closedAt: number }[] = [];
  const silenced = new Set<Direction>();
  let isCut = false;
  let delayMs = 0;
  let commitFault: CommitFault | null = null;
  let stallMs = 0;
  let hits = 0;

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on('error', () => undefined);
    if (isCut) {
      client.destroy();
      return;
    }
    open(client);
  });

  function open(client: Socket): void {
    const { host, port } = target();
    const server = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const detector = createCommitDetector(protocol);
    let isAwaitingAnswer = false;
    let isOver = false;
    let stalledUntil = -Infinity;
    const link: Link = {
      client,
      server,
      pump: () => {
        up.pump();
        down.pump();
      },
      destroy(isReset) {
        if (isOver) return;
        isOver = true;
        links.delete(link);
        up.stop();
        down.stop();
        for (const socket of [client, server]) {
          if (isReset && !socket.connecting && !socket.destroyed) socket.resetAndDestroy();
          else socket.destroy();
        }
      },
    };
    const fail = (silenceMs: number): void => {
      hits += 1;
      up.stop();
      down.stop();
      setTimeout(() => link.destroy(true), silenceMs);
    };
    const up = createPipe(client, server, {
      isSilent: () => silenced.has('up'),
      delayMs: () => delayMs,
      stalledUntil: () => stalledUntil,
      onChunk(chunk) {
        const isCommit = detector.fromClient(chunk);
        if (detector.hasBegun() && stallMs > 0) {
          hits += 1;
          stalledUntil = performance.now() + stallMs;
        }
        if (!isCommit || commitFault === null || !commitFault.isHit()) return true;
        if (commitFault.action === 'refuse') {
          server.destroy();
          fail(commitFault.silenceMs);
          return false;
        }
        isAwaitingAnswer = true;
        return true;
      },
      onEnd: () => link.destroy(false),
    });
    const down = createPipe(server, client, {
      isSilent: () => silenced.has('down'),
      delayMs: () => delayMs,
      stalledUntil: () => -Infinity,
      onChunk(chunk) {
        const isAnswered = detector.fromServer(chunk);
        if (!isAwaitingAnswer) return true;
        if (isAnswered) fail(commitFault?.silenceMs ?? 0);
        return false;
      },
      onEnd: () => link.destroy(false),
    });
    server.once('connect', () => {
      const entry = { port: server.localPort ?? 0, openedAt: Date.now(), closedAt: Infinity };
      ports.push(entry);
      server.once('close', () => (entry.closedAt = Date.now()));
    });
    links.add(link);
  }

  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen({ host: '127.0.0.1', port: 0 }, resolve);
  });
  const address = listener.address();
  const destroyAll = (isReset: boolean): number => {
    const count = links.size;
    for (const link of [...links]) link.destroy(isReset);
    return count;
  };

  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut() {
      isCut = true;
      destroyAll(false);
    },
    reset: () => destroyAll(true),
    silence(directions) {
      for (const direction of directions) silenced.add(direction);
    },
    delay(milliseconds) {
      delayMs = milliseconds;
    },
    faultCommits(fault) {
      commitFault = fault;
    },
    stallTransactions(milliseconds) {
      stallMs = milliseconds;
    },
    heal(isReset = false) {
      const wasSilent = silenced.size > 0;
      isCut = false;
      delayMs = 0;
      commitFault = null;
      stallMs = 0;
      silenced.clear();
      if (isReset && wasSilent) destroyAll(true);
      for (const link of [...links]) link.pump();
    },
    hits: () => hits,
    hadPort: (port, atMs) =>
      ports.some(
        (entry) =>
          entry.port === port && entry.openedAt <= atMs + clockSlackMs && entry.closedAt >= atMs - clockSlackMs,
      ),
    async close() {
      destroyAll(false);
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  };
}

type PipeOptions = {
  isSilent: () => boolean;
  delayMs: () => number;
  /** Nothing is passed on before that time; asked after each look at a chunk. */
  stalledUntil: () => number;
  /** False: the chunk goes no further. */
  onChunk: (chunk: Buffer) => boolean;
  /** The source is gone and all it said was passed on. */
  onEnd: () => void;
};

/** One direction. What cannot be passed on yet waits, in order; a source that sends on meanwhile is held back. */
function createPipe(from: Socket, to: Socket, options: PipeOptions): { pump: () => void; stop: () => void } {
  const highWaterBytes = 1_048_576;
  const queue: { chunk: Buffer; dueAt: number; isPassing?: boolean }[] = [];
  let queuedBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let isEnded = false;
  let isClosed = false;
  let isStopped = false;

  function pump(): void {
    clearTimeout(timer);
    if (isStopped || options.isSilent()) return;
    for (let entry = queue[0]; entry; entry = queue[0]) {
      let waitMs = entry.dueAt - performance.now();
      if (waitMs <= 0) {
        entry.isPassing ??= options.onChunk(entry.chunk);
        if (isStopped) return;
        waitMs = options.stalledUntil() - performance.now();
      }
      if (waitMs > 0) {
        timer = setTimeout(pump, waitMs);
        return;
      }
      queue.shift();
      queuedBytes -= entry.chunk.length;
      if (entry.isPassing) to.write(entry.chunk);
    }
    if (from.isPaused()) from.resume();
    if (isClosed) options.onEnd();
    else if (isEnded) to.end();
  }

  from.on('data', (chunk: Buffer) => {
    if (isStopped) return;
    queue.push({ chunk, dueAt: performance.now() + options.delayMs() });
    queuedBytes += chunk.length;
    if (queuedBytes > highWaterBytes) from.pause();
    pump();
  });
  from.on('end', () => {
    isEnded = true;
    pump();
  });
  from.on('error', () => undefined);
  from.on('close', () => {
    isClosed = true;
    pump();
  });
  return {
    pump,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
