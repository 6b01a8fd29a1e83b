/** The API process: the catalogue over HTTP, and the inline poller. */
import { taskTypes } from '@omnizap/catalog';
import { runProcess } from '@omnizap/runtime';
import { objectStorageDigest } from '@omnizap/storage';
import { composeApi } from './compose.ts';

await runProcess({
  name: 'api',
  port: (config) => config.PORT,
  portVariable: 'PORT',
  status: (config) => ({
    lane: 'inline',
    task_types: taskTypes,
    object_storage: objectStorageDigest(config),
  }),
  ownPort: { variable: 'API_METRICS_PORT', of: (config) => config.API_METRICS_PORT },
  compose: composeApi,
});
