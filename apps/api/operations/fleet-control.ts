/** What administrators do to the running fleet: feature flags, and pausing kinds of task. */
import { z } from 'zod';
import { countDueWork, taskTypes, type Actor } from '@omnizap/catalog';
import { flagJson, flagNames, flagsTopic, pauseJson, requireFlagName, type FlagRow } from '@omnizap/rollout';
import { AppError } from '@omnizap/runtime';
import { taskCountJson } from '@omnizap/tasks';
import type { ApiDeps } from '../api-deps.ts';
import { operation, type Operation } from '../operation.ts';
import { flagInput, flagListSchema, flagSchema, pauseInput, pauseSchema, queuesSchema } from '../fleet-schemas.ts';

const common = { routeGroup: 'catalog_api_admin', access: 'admin' } as const;
const noQuery = z.strictObject({});
const flagPath = '/api/admin/feature-flags';

export function fleetControlOperations({ database, flagStore, taskPauses, taskCounts, wakeups }: ApiDeps): Operation[] {
  const listFlags = operation({
    ...common,
    method: 'get',
    path: flagPath,
    id: 'listFeatureFlags',
    summary: 'The feature flags.',
    query: noQuery,
    responses: { 200: { description: 'All flags.', schema: flagListSchema } },
    example: { status: 200 },
    handle: async () => ({ status: 200, body: { data: (await flagStore.list()).map(flagJson) } }),
  });

  const setFlag = operation({
    ...common,
    method: 'put',
    path: `${flagPath}/{flagName}`,
    id: 'setFeatureFlag',
    summary: 'Changes a flag; every process knows it within 2 s. With expected_version only if nobody was faster.',
    params: { flagName: `Name of the flag: ${flagNames.join(', ')}` },
    query: noQuery,
    body: flagInput,
    responses: { 200: { description: 'The flag as it is now.', schema: flagSchema } },
    problems: ['version-conflict'],
    example: {
      params: { flagName: 'enable_object_storage_delivery' },
      body: { is_enabled: true, rollout_percent: 25, reason: 'a quarter, to begin with' },
      status: 200,
    },
    async handle({ params, body, actor, requestId }) {
      const [flag] = await flagStore.set(
        [
          {
            flagName: requireFlagName(params.flagName ?? ''),
            isEnabled: body.is_enabled === undefined ? undefined : Boolean(body.is_enabled),
            rolloutPercent: body.rollout_percent,
            expectedVersion: body.expected_version,
          },
        ],
        { actor: (actor as Actor).ownerId, reason: body.reason, requestId },
      );
      wakeups.notify(flagsTopic);
      return { status: 200, body: { data: flagJson(flag as FlagRow) } };
    },
  });

  const queueStats = operation({
    ...common,
    method: 'get',
    path: '/api/admin/queues',
    id: 'getQueues',
    summary: 'Unfinished tasks by type, lane and state; subjects whose work is due; types that are paused.',
    query: noQuery,
    responses: { 200: { description: 'The queues.', schema: queuesSchema } },
    example: { status: 200 },
    async handle() {
      const [counts, due, pauses] = await Promise.all([taskCounts(), countDueWork(database), taskPauses.list()]);
      return {
        status: 200,
        body: {
          data: counts.map(taskCountJson),
          due: due.map(({ taskType, subjects }) => ({ task_type: taskType, subjects })),
          paused: pauses.map(pauseJson),
        },
      };
    },
  });

  const switches = (['pause', 'resume'] as const).map((verb) =>
    operation({
      ...common,
      method: 'post',
      path: `/api/admin/queues/{taskType}/${verb}`,
      id: `${verb}TaskType`,
      summary:
        verb === 'pause'
          ? 'Stops claiming tasks of this type within 2 s; what runs goes on, what comes waits.'
          : 'Lets a paused type be claimed again.',
      params: { taskType: `Task type: ${taskTypes.join(', ')}` },
      query: noQuery,
      body: pauseInput,
      responses: { 200: { description: 'Whether it is paused now.', schema: pauseSchema } },
      example: { params: { taskType: 'curation' }, body: { reason: 'the database is busy' }, status: 200 },
      async handle({ params, body, actor, requestId }) {
        const taskType = taskTypes.find((type) => type === params.taskType);
        if (!taskType)
          throw new AppError('not-found', `There is no such task type. The types are ${taskTypes.join(', ')}.`);
        const changed = await taskPauses[verb]([taskType], {
          ...{ actor: (actor as Actor).ownerId, reason: body.reason, requestId },
        });
        wakeups.notify(flagsTopic);
        const data = { task_type: taskType, is_paused: verb === 'pause', was_changed: changed.length > 0 };
        return { status: 200, body: { data } };
      },
    }),
  );
  return [listFlags, setFlag, queueStats, ...switches];
}
