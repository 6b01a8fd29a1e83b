/** The maintenance process: several may run, one leads. */
import { runProcess } from '@omnizap/runtime';
import { composeMaintenance } from './compose.ts';

await runProcess({
  name: 'maintenance',
  port: (config) => config.MAINTENANCE_PORT,
  portVariable: 'MAINTENANCE_PORT',
  compose: composeMaintenance,
});
