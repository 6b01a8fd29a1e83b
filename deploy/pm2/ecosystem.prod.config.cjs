/**
 * The fleet of one host: the API twice on one port, so that a reload refuses nobody, and one of each other process.
 * `npm run pm2 -- start|reload deploy/pm2/ecosystem.prod.config.cjs`; then `npm run ops -- release verify`, because pm2 calls a
 * reload a success whatever came up. Settings: the environment of the shell that starts or reloads (deploy/env.example).
 */
const path = require('path');
const { createFleet } = require('./fleet.cjs');

const { env } = process;
const fleet = createFleet({ root: path.resolve(__dirname, '../..') });

module.exports = {
  apps: [
    fleet.api(2),
    fleet.relay(),
    fleet.worker('classification', env.WORKER_CLASSIFICATION_PORT || 9111),
    fleet.worker('curation', env.WORKER_CURATION_PORT || 9112),
    fleet.worker('rebuild', env.WORKER_REBUILD_PORT || 9113),
    fleet.maintenance(),
  ],
};
