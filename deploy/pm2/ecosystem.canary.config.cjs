/**
 * The workers of a second release beside the first: other names, other ports, WORKER_RELEASE=canary.
 * RELEASE_DIR: the checkout whose code they run (default: this one). Data folders stay those of this checkout.
 */
const path = require('path');
const { createFleet } = require('./fleet.cjs');

const { env } = process;
const dataRoot = path.resolve(__dirname, '../..');
const root = env.RELEASE_DIR ? path.resolve(env.RELEASE_DIR) : dataRoot;
const fleet = createFleet({ root, dataRoot, release: 'canary' });

module.exports = {
  apps: [
    fleet.worker('classification', env.WORKER_CANARY_CLASSIFICATION_PORT || 9121, '-canary'),
    fleet.worker('curation', env.WORKER_CANARY_CURATION_PORT || 9122, '-canary'),
    fleet.worker('rebuild', env.WORKER_CANARY_REBUILD_PORT || 9123, '-canary'),
  ],
};
