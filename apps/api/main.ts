/** The API process: the catalogue over HTTP, and the inline poller. */
import { taskTypes } from '@omnizap/catalog';
import { runProcess } from '@omnizap/runtime';
import { composeApi } from './compose.ts';

await runProcess({
  name: 'api',
  port: (config) => config.PORT,
  portVariable: 'PORT',
  status: () => ({ lane: 'inline', task_types: taskTypes }),
  ownPort: { variable: 'API_METRICS_PORT', of: (config) => config.API_METRICS_PORT },
  compose: composeApi,
});
