/** Holds the named leases until it is killed. Arguments: database URL, lease names. */
import { connectDatabase, createLeaseStore, createLogger, createMembership } from '../src/index.ts';

const [url = '', ...names] = process.argv.slice(2);
const database = connectDatabase(url, { poolMax: 2 });
const membership = createMembership(
  { store: createLeaseStore(database), log: createLogger({ level: 'silent', format: 'json', process: 'holder' }) },
  { processName: 'holder', status: {} },
);
await membership.start();
await membership.balance(names, names.length);
process.send?.({ type: 'ready' });
