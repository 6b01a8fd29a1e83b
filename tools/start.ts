/** `npm start`: the whole fleet in the foreground, until Ctrl-C or SIGTERM. */
import path from 'node:path';
import { runSupervisor } from './start/supervisor.ts';

/** Ctrl-C reaches the whole process group and is passed on by npm as well: signals this close together are one. */
const SAME_KEYPRESS_MS = 1_000;

const stop = new AbortController();
const hurry = new AbortController();
let firstRequestAt = 0;

function requestStop(): void {
  if (!stop.signal.aborted) {
    firstRequestAt = performance.now();
    stop.abort();
  } else if (performance.now() - firstRequestAt > SAME_KEYPRESS_MS) {
    hurry.abort();
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, requestStop);
process.on('disconnect', requestStop);
// Whoever started us died while we were loading: nobody was there to hear the event.
if (process.connected === false) requestStop();
process.channel?.unref();

const exitCode = await runSupervisor({
  root: path.resolve(import.meta.dirname, '..'),
  environment: process.env,
  target: process.stdout,
  stopSignal: stop.signal,
  hurrySignal: hurry.signal,
  onReady: (url) => void process.send?.({ type: 'ready', name: 'start', url }),
});
process.exit(exitCode);
