/**
 * Structured logs: JSON lines in production, readable ones on a terminal. Ids that tie one change together through all
 * processes are fields of the same name everywhere: `request_id`, `event_id`, `task_id`; and `trace_id`, `span_id` where it is traced.
 */
import { pino, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { activeTrace } from './tracing.ts';

export type { Logger } from 'pino';

type LogOptions = {
  level: string;
  format: 'json' | 'pretty' | undefined;
  process: string;
  /** Default: stdout. Commands whose stdout is their answer log to stderr. */
  stream?: 'stdout' | 'stderr';
};

/** Never logged, wherever they turn up in an object. */
const secretPaths = [
  'authorization',
  '*.authorization',
  'headers.authorization',
  'headers.cookie',
  '*.password',
  'key',
  '*.token',
];

export function createLogger(options: LogOptions): Logger {
  const stream = process[options.stream ?? 'stdout'];
  const format = options.format ?? (stream.isTTY ? 'pretty' : 'json');
  const settings = {
    level: options.level,
    base: { process: options.process },
    redact: { paths: secretPaths, censor: '[secret]' },
    timestamp: isoTime,
    mixin: () => activeTrace() ?? {},
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (format === 'json') return pino(settings, outputTo(stream.fd));
  return pino(
    { ...settings, formatters: {} },
    pretty({
      destination: stream.fd,
      colorize: stream.isTTY || process.env.FORCE_COLOR === '1',
      ignore: 'pid,hostname,process',
      translateTime: 'SYS:HH:MM:ss.l',
      sync: true,
    }),
  );
}

/**
 * A standard stream that may go away before this process: a supervisor that dies leaves a broken pipe (EPIPE), or a reset one
 * (ECONNRESET) when there was something in it that it had not read. pino copes with the first only; after the second the flush at
 * exit would try again for ever, and the process would never end.
 */
function outputTo(fd: number): DestinationStream {
  const stream = pino.destination({ fd, sync: true });
  const ignore = (): void => undefined;
  stream.on('error', () => Object.assign(stream, { write: ignore, end: ignore, flushSync: ignore, destroy: ignore }));
  return stream;
}

const isoTime = (): string => `,"time":"${new Date().toISOString()}"`;
