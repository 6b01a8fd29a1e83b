/** A worker process: `worker classification|curation|rebuild`. */
import { taskTypesOf, workerKinds } from '@omnizap/catalog';
import { runProcess } from '@omnizap/runtime';
import { objectStorageDigest } from '@omnizap/storage';
import { composeWorker, defaultPorts, isWorkerKind } from './compose.ts';

const kind = process.argv[2] ?? '';
if (!isWorkerKind(kind)) {
  process.stderr.write(`worker: say which one: ${workerKinds.join(', ')}${kind === '' ? '' : ` (not "${kind}")`}\n`);
  process.exit(2);
}

await runProcess({
  name: `worker-${kind}`,
  port: (config) => config.WORKER_PORT ?? defaultPorts[kind],
  portVariable: 'WORKER_PORT',
  status: (config) => ({
    worker: kind,
    lane: config.WORKER_RELEASE,
    task_types: taskTypesOf[kind],
    object_storage: objectStorageDigest(config),
  }),
  compose: (context) => composeWorker(context, kind),
});
