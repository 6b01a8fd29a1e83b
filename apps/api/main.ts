/** The API process: the catalogue over HTTP. */
import { runProcess } from '@omnizap/runtime';
import { composeApi } from './compose.ts';

await runProcess({ name: 'api', port: (config) => config.PORT, portVariable: 'PORT', compose: composeApi });
