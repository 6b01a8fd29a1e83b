/**
 * What the profiles have in common: one pm2 application for each process of the fleet, as data. pm2 reads them; nothing here
 * imports pm2.
 *
 * No interpreter: the program is the pinned Node.js itself. With `interpreter: node` pm2 would load its own file into the
 * process and that would import ours. The names are what `release verify` and /api/ops/targets call the processes.
 */
const fs = require('fs');
const path = require('path');
const { findRunnableNode } = require('../pinned-node.cjs');

/** Above the 14 s in which a process ends by itself, whatever hangs. */
const killTimeoutMs = 20_000;
/** Waiting for migrations counts. pm2 calls a process online after that, ready or not: `release verify` tells the difference. */
const listenTimeoutMs = 60_000;
/** A process that lives shorter did not work: the configuration, the port and the database are all tried by then. */
const minUptimeMs = 10_000;
/**
 * 0.1 s, then half as much again each time, up to pm2's 15 s. What heals by itself (a full disk, a port whose old holder drains)
 * is tried four times a minute for ever; a build that is broken costs next to nothing meanwhile.
 */
const firstRestartDelayMs = 100;
/**
 * pm2 gives up at this number of short lives within `minUptimeMs` times it. With the delays above it gets to some 42 in those
 * 500 s: so it never does, and nobody has to wake a worker whose database was away at night.
 */
const maxRestarts = 50;

/** Settings of the profiles, not of the processes. */
const ofPm2Alone = ['PM2_HOME', 'RELEASE_DIR'];

/** MiB of one process before pm2 restarts it. Idle ones take about 120; the last net, not a limit to live at. */
const memoryMib = { api: 512, relay: 384, classification: 1_024, curation: 512, rebuild: 512, maintenance: 768 };

/** `root`: the checkout whose code runs. `dataRoot`: where `data` and `archives` are when the environment does not say. */
function createFleet(options) {
  const { root, dataRoot = root, release = 'stable', environment = process.env } = options;
  const node = path.relative(root, findRunnableNode(root));
  const inData = (variable, folder) => path.resolve(dataRoot, environment[variable] || folder);
  const shared = {
    ...settingsOf(environment),
    WORKER_RELEASE: release,
    // A release runs in its own folder; the stickers stay where they are.
    STICKER_DATA_DIR: inData('STICKER_DATA_DIR', 'data'),
    ARCHIVE_DIR: inData('ARCHIVE_DIR', 'archives'),
    NODE_COMPILE_CACHE: environment.NODE_COMPILE_CACHE || path.join(root, '.cache', 'node'),
    // glibc keeps an arena per thread; image buffers freed in one of many would look like a leak.
    MALLOC_ARENA_MAX: environment.MALLOC_ARENA_MAX || '2',
    // A reload takes over arguments and environment, but not folder and program: a process would go on in the old release's
    // folder. pm2 keeps both in these variables of a process and believes what is in them (seen with 7.0.4, and tested).
    pm_cwd: root,
    pm_exec_path: path.join(root, node),
  };

  function app(name, entry, kind, env, more) {
    return {
      name,
      // Without a space whatever the folder is called: pm2 would take the first word for the program.
      script: node,
      interpreter: 'none',
      exec_mode: 'fork',
      args: [path.join(root, entry)].concat(kind === undefined ? [] : [kind]),
      cwd: root,
      env: { ...shared, ...env },
      // See the API below for the one that pm2 waits for.
      wait_ready: false,
      kill_timeout: killTimeoutMs,
      // Ours start no others, and looking for them needs `ps`.
      treekill: false,
      min_uptime: minUptimeMs,
      max_restarts: maxRestarts,
      exp_backoff_restart_delay: firstRestartDelayMs,
      max_memory_restart: `${memoryMib[kind || name]}M`,
      // One pair of files per name, in <PM2_HOME>/logs; the lines have their own time.
      merge_logs: true,
      ...more,
    };
  }

  return {
    api: (instances) =>
      // Of one name pm2 restarts one after the other, each when the one before is ready: the port is never without a listener.
      // Only here: a process that pm2 stops or deletes while it waits for "ready" is started again by pm2 7.0.4 (it takes the
      // death for a start that is over), which no build that dies at once could be rid of.
      app(
        'api',
        'apps/api/main.ts',
        undefined,
        { API_METRICS_PORT: environment.API_METRICS_PORT || '9103' },
        { instances, wait_ready: true, listen_timeout: listenTimeoutMs },
      ),
    relay: () => app('relay', 'apps/relay/main.ts'),
    worker: (kind, port, suffix = '') =>
      app(`worker-${kind}${suffix}`, 'apps/worker/main.ts', kind, { WORKER_PORT: String(port) }),
    maintenance: () => app('maintenance', 'apps/maintenance/main.ts'),
  };
}

/**
 * All settings by name, the absent ones empty, which counts as unset. At a reload pm2 7.0.4 takes over what the profile names; of
 * the rest of the shell's environment a process keeps what it was first started with (seen, and tested by runbooks/tuning.md).
 */
function settingsOf(environment) {
  const example = fs.readFileSync(path.join(__dirname, '../env.example'), 'utf8');
  const documented = example.split('\n').flatMap((line) => /^#?([A-Z][A-Z0-9_]*)=/.exec(line)?.slice(1) ?? []);
  const standard = Object.keys(environment).filter((name) => name.startsWith('OTEL_'));
  const names = [...documented, ...standard].filter((name) => !ofPm2Alone.includes(name));
  return Object.fromEntries(names.map((name) => [name, environment[name] || '']));
}

module.exports = { createFleet };
