/** Started by the tests with a data directory: holds an embedded PostgreSQL until it is killed. */
import { startEmbeddedPostgres } from '@omnizap/embedded';

const postgres = await startEmbeddedPostgres({ dataDir: process.argv[2] ?? '', durable: false });
process.send?.({ type: 'ready', name: 'hold-postgres', url: postgres.url });
setInterval(() => undefined, 60_000);
