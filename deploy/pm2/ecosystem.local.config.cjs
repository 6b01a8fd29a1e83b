/**
 * A small fleet for one machine where `npm start` (which embeds a database) is not wanted: one of each process, the API's port
 * unshared, readable logs.
 */
const path = require('path');
const { createFleet } = require('./fleet.cjs');

const { env } = process;
const fleet = createFleet({ root: path.resolve(__dirname, '../..') });
const api = fleet.api(1);
api.env.API_METRICS_PORT = '';

module.exports = {
  apps: [
    api,
    fleet.relay(),
    fleet.worker('classification', env.WORKER_CLASSIFICATION_PORT || 9111),
    fleet.worker('curation', env.WORKER_CURATION_PORT || 9112),
    fleet.worker('rebuild', env.WORKER_REBUILD_PORT || 9113),
    fleet.maintenance(),
  ].map((app) => ({ ...app, env: { ...app.env, LOG_FORMAT: env.LOG_FORMAT || 'pretty' } })),
};
