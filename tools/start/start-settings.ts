/** What `npm start` reads from the environment: ports, data directory, databases. Every problem is reported together. */
import path from 'node:path';
import { AppError } from '@omnizap/runtime';

export type ProcessPlan = {
  name: string;
  /** Below the project's root. */
  entry: string;
  args: string[];
  /** The variable by which the process itself learns its port. */
  portVariable: string;
  port: number;
  /** The variable that moves the port under `npm start`. */
  userVariable: string;
  /** Stopped from the lowest to the highest. */
  stopPhase: number;
};

export type StartSettings = {
  dataDir: string;
  bindAddress: string;
  processes: ProcessPlan[];
  databaseUrl: string | null;
  queueDatabaseUrl: string | null;
  embeddedPort: { preferred: number; isFixed: boolean };
  hasDemo: boolean;
};

export type Environment = Record<string, string | undefined>;

const EMBEDDED_PORT = 54_329;

type FleetMember = Omit<ProcessPlan, 'port'> & { defaultPort: number };

/** Clients first lose the API, then work stops, then what hands it out, and the leader last. */
const fleet: FleetMember[] = [
  {
    name: 'api',
    entry: 'apps/api/main.ts',
    args: [],
    portVariable: 'PORT',
    userVariable: 'PORT',
    defaultPort: 9102,
    stopPhase: 0,
  },
  {
    name: 'relay',
    entry: 'apps/relay/main.ts',
    args: [],
    portVariable: 'RELAY_PORT',
    userVariable: 'RELAY_PORT',
    defaultPort: 9110,
    stopPhase: 2,
  },
  worker('classification', 9111),
  worker('curation', 9112),
  worker('rebuild', 9113),
  {
    name: 'maintenance',
    entry: 'apps/maintenance/main.ts',
    args: [],
    portVariable: 'MAINTENANCE_PORT',
    userVariable: 'MAINTENANCE_PORT',
    defaultPort: 9115,
    stopPhase: 3,
  },
];

function worker(taskType: string, defaultPort: number): FleetMember {
  const userVariable = `WORKER_${taskType.toUpperCase()}_PORT`;
  return {
    name: `worker-${taskType}`,
    entry: 'apps/worker/main.ts',
    args: [taskType],
    portVariable: 'WORKER_PORT',
    userVariable,
    defaultPort,
    stopPhase: 1,
  };
}

/** Throws `configuration-invalid` with one line per problem. Whatever else the fleet reads, its processes check themselves. */
export function readStartSettings(environment: Environment): StartSettings {
  const problems: string[] = [];
  const readPort = (variable: string, fallback: number): number => {
    const text = environment[variable] || String(fallback);
    const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
    if (port < 0 || port > 65_535) problems.push(`${variable} must be a port from 0 to 65535 (0: any free one)`);
    return port;
  };
  const processes = fleet.map(({ defaultPort, ...member }) => ({
    ...member,
    port: readPort(member.userVariable, defaultPort),
  }));
  const embeddedPort = readPort('EMBEDDED_POSTGRES_PORT', EMBEDDED_PORT);
  const databaseUrl = environment.DATABASE_URL || null;
  const isPostgres = databaseUrl !== null && /^postgres(ql)?:\/\//.test(databaseUrl);
  if (databaseUrl !== null && !isPostgres && !databaseUrl.startsWith('mysql://'))
    problems.push('DATABASE_URL must start with postgres:// or mysql://');
  for (const [index, member] of processes.entries()) {
    const earlier = processes.slice(0, index).find(({ port }) => port !== 0 && port === member.port);
    if (earlier) problems.push(`${earlier.userVariable} and ${member.userVariable} are both ${member.port}`);
  }
  if (problems.length > 0) throw new AppError('configuration-invalid', problems.join('\n'));
  return {
    dataDir: path.resolve(environment.STICKER_DATA_DIR || 'data'),
    bindAddress: environment.BIND_ADDRESS || '127.0.0.1',
    processes,
    databaseUrl,
    queueDatabaseUrl: environment.QUEUE_DATABASE_URL || (isPostgres ? databaseUrl : null),
    embeddedPort: { preferred: embeddedPort, isFixed: Boolean(environment.EMBEDDED_POSTGRES_PORT) },
    hasDemo: environment.STICKER_DEMO !== '0',
  };
}
