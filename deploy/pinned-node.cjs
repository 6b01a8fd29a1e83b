/**
 * Which Node.js runs the project's TypeScript: the one that node_modules pins, else this one when it is new enough.
 * For tools/boot.mjs and for process managers: plain JavaScript that Node 12 can parse.
 */
const childProcess = require('child_process');
const fs = require('fs');
const path = require('path');

/** Runs TypeScript without a flag. */
const oldestWithTypes = 24;

/** Its absolute path, seen to run: a system with another C library cannot execute the pinned one. Throws with what to do. */
function findRunnableNode(root) {
  const platform = process.platform + '-' + process.arch;
  const pinned = path.join(root, 'node_modules', 'node-' + platform, 'bin', 'node');
  const isThere = fs.existsSync(pinned);
  // Answers before anything is loaded, within some milliseconds.
  if (isThere && childProcess.spawnSync(pinned, ['--version']).status === 0) return pinned;
  if (Number(process.versions.node.split('.')[0]) >= oldestWithTypes) return process.execPath;
  throw new Error(
    (isThere ? 'The pinned Node.js does not run here' : 'There is no pinned Node.js for ' + platform + ' in ' + root) +
      ': install Node.js ' +
      oldestWithTypes +
      ' or newer, then try again.',
  );
}

module.exports = { findRunnableNode };
