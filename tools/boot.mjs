/**
 * The door of every command: `node tools/boot.mjs <command> [arguments]`. Completes node_modules from the lockfile when needed,
 * then runs the command's TypeScript file on the Node.js that the project pins, and ends as that ends.
 *
 * Runs on the host's Node.js before anything is installed: plain JavaScript that Node 12 can parse, no packages.
 */
import childProcess from 'child_process';
import crypto from 'crypto';
import fs from 'fs';
import os from 'os';
import path from 'path';
import url from 'url';

import pinnedNode from '../deploy/pinned-node.cjs';

const root = path.resolve(path.dirname(url.fileURLToPath(import.meta.url)), '..');
const modules = path.join(root, 'node_modules');
/** npm writes it last: absent after an installation that was cut short. */
const npmMarker = path.join(modules, '.package-lock.json');
/** Which lockfile, on which platform, node_modules was made from. */
const ownMarker = path.join(modules, '.omnizap-lock-sha256');
const installLock = path.join(root, '.cache', 'install.lock');
const oldestHost = 20;
const pollMs = 250;
/** A terminal's Ctrl-C comes directly and once more through npm. */
const sameKeypressMs = 500;

const commands = {
  start: 'tools/start.ts',
  test: 'tools/test.ts',
  check: 'tools/check.ts',
  bench: 'tools/bench.ts',
  chaos: 'tools/chaos.ts',
  loadtest: 'tools/loadtest.ts',
  simulate: 'tools/simulate.ts',
  observability: 'tools/observability.ts',
  pictures: 'tools/pictures.ts',
  migrate: 'tools/migrate.ts',
  seed: 'tools/seed.ts',
  api: 'apps/api/main.ts',
  relay: 'apps/relay/main.ts',
  worker: 'apps/worker/main.ts',
  maintenance: 'apps/maintenance/main.ts',
  ops: 'apps/cli/main.ts',
  pm2: 'tools/pm2.ts',
};

/** The process that signals go to: npm while it installs, then the command. */
let current = null;
let lastSignalAt = 0;
let isLockHolder = false;

main(process.argv.slice(2));

function main(args) {
  if (majorVersion(process.versions.node) < oldestHost) {
    fail('Node.js ' + oldestHost + ' or newer is needed to start; this is ' + process.versions.node + '.', 1);
  }
  const command = args[0] || '';
  if (!Object.prototype.hasOwnProperty.call(commands, command)) {
    const problem = command === '' ? 'Which command?' : 'Unknown command "' + command + '".';
    fail(problem + ' Commands: ' + Object.keys(commands).join(', ') + '.', 2);
  }
  ['SIGINT', 'SIGTERM', 'SIGHUP'].forEach(function (signal) {
    process.on(signal, function () {
      passOn(signal);
    });
  });
  watchParent();
  ensureInstalled(function () {
    run(path.join(root, commands[command]), args.slice(1));
  });
}

// --- node_modules ---

function ensureInstalled(done) {
  if (isInstalled()) return done();
  let hasSaidSo = false;
  (function attempt() {
    if (!takeInstallLock()) {
      if (!hasSaidSo) say('Another command is installing the dependencies; waiting for it.');
      hasSaidSo = true;
      setTimeout(attempt, pollMs);
      return;
    }
    // The one before us may just have done it.
    if (isInstalled()) {
      releaseInstallLock();
      return done();
    }
    install(function () {
      releaseInstallLock();
      done();
    });
  })();
}

function isInstalled() {
  if (!fs.existsSync(npmMarker)) return false;
  const wanted = fingerprint();
  if (readText(ownMarker) === wanted) return true;
  // Without our marker, or with another lockfile's: somebody ran npm by hand. It counts when it came after the lockfile.
  const isOtherPlatform =
    readText(ownMarker).split(' ')[1] !== undefined && readText(ownMarker).split(' ')[1] !== wanted.split(' ')[1];
  if (isOtherPlatform || fs.statSync(npmMarker).mtimeMs < fs.statSync(path.join(root, 'package-lock.json')).mtimeMs)
    return false;
  try {
    fs.writeFileSync(ownMarker, wanted);
  } catch {
    // A read-only installation is as good.
  }
  return true;
}

function fingerprint() {
  const lockfile = fs.readFileSync(path.join(root, 'package-lock.json'));
  return crypto.createHash('sha256').update(lockfile).digest('hex') + ' ' + process.platform + '-' + process.arch;
}

function install(done) {
  say('Installing the dependencies (exactly those of package-lock.json)...');
  const startedAt = Date.now();
  const npm = process.env.npm_execpath || '';
  const isNpmScript = /npm-cli\.js$/.test(npm);
  const args = [
    'ci',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--include=dev',
    '--include=optional',
    '--fetch-retries=3',
    '--fetch-retry-mintimeout=1000',
    '--fetch-retry-maxtimeout=10000',
  ];
  const child = childProcess.spawn(isNpmScript ? process.execPath : 'npm', isNpmScript ? [npm].concat(args) : args, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  current = child;
  let complaints = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', function (text) {
    complaints = (complaints + text).slice(-20000);
  });
  child.on('error', function (error) {
    fail('npm cannot be started (' + error.message + '). Install npm, then try again.', 1);
  });
  child.on('close', function (code, signal) {
    current = null;
    if (signal) fail('The installation was interrupted. Try again.', exitCodeOf(code, signal));
    if (code !== 0) fail(explainFailure(complaints, code), 1);
    try {
      fs.writeFileSync(ownMarker, fingerprint());
    } catch (error) {
      fail('The installation could not be completed: ' + error.message, 1);
    }
    say('Installed in ' + ((Date.now() - startedAt) / 1000).toFixed(1) + ' s.');
    done();
  });
}

/** One line that says what to do, with npm's own first complaint. */
function explainFailure(complaints, code) {
  const lines = complaints
    .split('\n')
    .map(function (line) {
      return line.replace(/^npm (error|ERR!) ?/, '').trim();
    })
    .filter(function (line) {
      return line !== '' && !/^(code|errno|syscall|path|A complete log)/.test(line);
    });
  const reason = (lines[0] || 'exit code ' + code).slice(0, 200);
  let advice = 'Run "npm ci" to see more.';
  if (/ENOSPC/.test(complaints)) advice = 'The disk is full: free some space, then try again.';
  else if (/EACCES|EPERM|EROFS/.test(complaints))
    advice = 'This folder cannot be written: check who owns ' + root + ' and the npm cache.';
  else if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|network/i.test(
      complaints,
    )
  ) {
    advice = 'The package registry cannot be reached: check the network or proxy, then try again.';
  }
  return 'The dependencies could not be installed. ' + advice + ' (npm: ' + reason + ')';
}

// --- one installation at a time ---

/** True when the lock is ours. A lock whose holder is gone does not count. */
function takeInstallLock() {
  const self = process.pid + ' ' + processStart(process.pid);
  const draft = installLock + '.' + process.pid;
  try {
    fs.mkdirSync(path.dirname(installLock), { recursive: true });
    const holder = readText(installLock);
    if (holder !== '' && !isHolderAlive(holder)) removeStaleLock(holder);
    fs.writeFileSync(draft, self);
    // A link appears with its content, so nobody can read a half-written lock.
    fs.linkSync(draft, installLock);
    isLockHolder = true;
  } catch (error) {
    if (error.code !== 'EEXIST') {
      fail(
        'The dependencies are missing and cannot be installed: ' +
          error.message +
          '. Check disk space and who owns ' +
          root +
          '.',
        1,
      );
    }
  } finally {
    try {
      fs.unlinkSync(draft);
    } catch {
      // It was never written.
    }
  }
  return isLockHolder;
}

/** Moved aside first: of two that find the same stale lock, only one succeeds, and a lock that was renewed meanwhile is put back. */
function removeStaleLock(holder) {
  const aside = installLock + '.stale.' + process.pid;
  try {
    fs.renameSync(installLock, aside);
    if (readText(aside) !== holder) fs.linkSync(aside, installLock);
  } catch {
    // Somebody else removed it.
  }
  try {
    fs.unlinkSync(aside);
  } catch {
    // Nothing was moved.
  }
}

function releaseInstallLock() {
  if (!isLockHolder) return;
  isLockHolder = false;
  try {
    fs.unlinkSync(installLock);
  } catch {
    // Gone already.
  }
}

function isHolderAlive(holder) {
  const pid = Number(holder.split(' ')[0]);
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false;
  }
  return holder.slice(holder.indexOf(' ') + 1) === processStart(pid);
}

/** Tells two processes with the same pid apart; "?" where the system does not say. */
function processStart(pid) {
  const stat = readText('/proc/' + pid + '/stat');
  return stat === '' ? '?' : stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

// --- the command ---

function run(file, args) {
  if (!fs.existsSync(file)) fail('This version has no ' + path.relative(root, file) + '.', 2);
  let node;
  try {
    node = pinnedNode.findRunnableNode(root);
  } catch (error) {
    fail(error.message, 1);
  }
  // The IPC channel tells the command when this process is gone, however it went.
  const child = childProcess.spawn(node, [file].concat(args), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  current = child;
  child.on('error', function (error) {
    if (child.pid === undefined) fail(node + ' cannot be started: ' + error.message, 1);
  });
  child.on('exit', function (code, signal) {
    process.exit(exitCodeOf(code, signal));
  });
}

function passOn(signal) {
  if (Date.now() - lastSignalAt < sameKeypressMs) return;
  lastSignalAt = Date.now();
  if (current !== null) current.kill(signal);
  else {
    releaseInstallLock();
    process.exit(exitCodeOf(null, signal));
  }
}

/** A killed npm passes nothing on; that it is gone shows by our new parent. */
function watchParent() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  setInterval(function () {
    if (process.ppid !== parent) passOn('SIGTERM');
  }, pollMs).unref();
}

function exitCodeOf(code, signal) {
  return signal ? 128 + (os.constants.signals[signal] || 1) : code;
}

function majorVersion(version) {
  return Number(version.split('.')[0]);
}

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function say(line) {
  process.stderr.write(line + '\n');
}

function fail(line, code) {
  releaseInstallLock();
  say(line);
  process.exit(code);
}
