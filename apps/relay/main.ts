/** The relay process: events out of the catalogue, tasks into the queues. */
import { runProcess } from '@omnizap/runtime';
import { composeRelay } from './compose.ts';

await runProcess({
  name: 'relay',
  port: (config) => config.RELAY_PORT,
  portVariable: 'RELAY_PORT',
  compose: composeRelay,
});
