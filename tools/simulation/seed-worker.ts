/** A thread that runs the seeds that it is sent, and answers with what it found. */
import { parentPort } from 'node:worker_threads';
import { runRange, type Range } from './run-range.ts';

parentPort?.on('message', (range: Range) => {
  void runRange(range).then((found) => parentPort?.postMessage(found));
});
