/** Prints the OpenAPI document of this code, for what generates files from it. It needs nothing that runs. */
import { createOperations } from './app.ts';
import { createStandInDeps } from './stand-in-deps.ts';

process.stdout.write(`${JSON.stringify(createOperations(createStandInDeps()).document, null, 2)}\n`);
