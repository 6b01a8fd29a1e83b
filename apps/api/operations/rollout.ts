/** Rollouts over HTTP: looking, asking the controller, and the rollback that needs none. */
import { z } from 'zod';
import { createHealthSources, type Actor } from '@omnizap/catalog';
import {
  createRollout,
  explainedJson,
  flagNames,
  flagsTopic,
  loadPlans,
  planJson,
  requireFlagName,
  rolledBackJson,
  runJson,
  statusJson,
} from '@omnizap/rollout';
import { AppError } from '@omnizap/runtime';
import type { ApiDeps } from '../api-deps.ts';
import { operation, type Operation } from '../operation.ts';

const common = { routeGroup: 'catalog_api_admin', access: 'admin' } as const;
const path = '/api/admin/rollout';
const noQuery = z.strictObject({});

const reason = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(500, 'must have at most 500 characters')
  .refine((value) => !/[\p{Cc}\p{Cs}]/u.test(value), 'must not contain control characters');
const flagName = z.enum(flagNames);

const requestInput = z
  .strictObject({
    action: z.enum(['auto', 'promote', 'hold', 'resume', 'stop']),
    plan: z.string().min(1).max(64).optional().describe('auto and promote only, and needed there'),
    force: z.boolean().default(false).describe('promote only: without waiting for the bake and the gates'),
    reason,
  })
  .refine(({ action, plan }) => (action === 'auto' || action === 'promote') === (plan !== undefined), {
    path: ['plan'],
    error: 'is needed for auto and promote, and for them only',
  })
  .refine(({ action, force }) => !force || action === 'promote', { path: ['force'], error: 'is for promote only' });
const rollbackInput = z.strictObject({
  flag: flagName.optional().describe('Absent: what the runbook switches off, in its order'),
  keep: z.array(flagName).max(flagNames.length).default([]).describe('Flags that stay'),
  reason,
});
const freezeInput = z.strictObject({
  frozen: z.boolean(),
  until: z.iso.datetime({ offset: true }).optional().describe('Absent: until it is ended'),
  reason,
});

const anything = z.looseObject({});
const dataOf = (schema: z.ZodType) => z.object({ data: schema });
const requestSchema = dataOf(
  z.object({
    rollout_request_id: z.int(),
    state: z.enum(['waiting', 'accepted', 'refused']),
    answer: z.string().nullable().describe('Of the controller: what it did, or why it refused'),
    run_id: z.int().nullable(),
  }),
);
const rolledBackSchema = dataOf(
  z.object({
    run_id: z.int().nullable().describe('The run that this ended'),
    lowered: z.array(z.string()),
    kept: z.array(z.object({ flag_name: z.string(), reason: z.string() })),
    event_flow_stable: z.boolean().nullable(),
    snapshot_fresh: z.boolean().nullable(),
  }),
);

export function rolloutOperations({ config, database, wakeups }: ApiDeps): Operation[] {
  const rollout = createRollout({ database, ...createHealthSources(database) });

  const status = operation({
    ...common,
    method: 'get',
    path,
    id: 'getRollout',
    summary: 'The active run with its last decision, the freeze, and the last runs.',
    query: noQuery,
    responses: { 200: { description: 'How it stands.', schema: dataOf(anything) } },
    example: { status: 200 },
    handle: async () => ({ status: 200, body: { data: statusJson(await rollout.status()) } }),
  });

  const plans = operation({
    ...common,
    method: 'get',
    path: `${path}/plans`,
    id: 'listRolloutPlans',
    summary: 'The plans with their stages and gates.',
    query: noQuery,
    responses: { 200: { description: 'All plans.', schema: dataOf(z.array(anything)) } },
    example: { status: 200 },
    handle: async () => ({
      status: 200,
      body: { data: [...loadPlans(config.ROLLOUT_PLANS_DIR).values()].map(planJson) },
    }),
  });

  const explain = operation({
    ...common,
    method: 'get',
    path: `${path}/runs/{runId}`,
    id: 'explainRolloutRun',
    summary: 'A run with its decisions, the samples of each, and whether each follows from them.',
    params: { runId: 'Id of the run' },
    query: noQuery,
    responses: { 200: { description: 'The run.', schema: dataOf(anything) } },
    example: { params: { runId: '{rolloutRunId}' }, status: 200 },
    async handle({ params }) {
      const { run, decisions } = await rollout.explain(numberOf(params.runId));
      return { status: 200, body: { data: { ...runJson(run), decisions: decisions.map(explainedJson) } } };
    },
  });

  // Nobody waits inside of a request for a controller that looks every 5 s: it would count as a slow answer at the very gates.
  const ask = operation({
    ...common,
    method: 'post',
    path: `${path}/requests`,
    id: 'askRollout',
    summary: 'Asks the rollout controller, which answers within seconds: look for that. Refused when a minute old.',
    query: noQuery,
    body: requestInput,
    responses: { 202: { description: 'Asked.', schema: requestSchema } },
    example: { body: { action: 'hold', reason: 'looking at the errors first' }, status: 202 },
    async handle({ body, actor, requestId }) {
      const by = { actor: (actor as Actor).ownerId, reason: body.reason, requestId };
      const id = await rollout.submit({ kind: body.action, planName: body.plan, isForced: body.force }, by);
      return { status: 202, body: { data: { rollout_request_id: id, state: 'waiting', answer: null, run_id: null } } };
    },
  });

  const answer = operation({
    ...common,
    method: 'get',
    path: `${path}/requests/{rolloutRequestId}`,
    id: 'getRolloutRequest',
    summary: 'What the rollout controller answered.',
    params: { rolloutRequestId: 'Id of the request' },
    query: noQuery,
    responses: { 200: { description: 'The answer, or that there is none yet.', schema: requestSchema } },
    example: { params: { rolloutRequestId: '{rolloutRequestId}' }, status: 200 },
    async handle({ params }) {
      const id = numberOf(params.rolloutRequestId);
      const found = await rollout.answerOf(id);
      const state = found === null ? 'waiting' : found.isAccepted ? 'accepted' : 'refused';
      const data = { rollout_request_id: id, state, answer: found?.text ?? null, run_id: found?.runId ?? null };
      return { status: 200, body: { data } };
    },
  });

  const rollback = operation({
    ...common,
    method: 'post',
    path: `${path}/rollback`,
    id: 'rollBackRollout',
    summary: 'Switches off, here and now, without a controller, and ends the active run. Again: without effect.',
    query: noQuery,
    body: rollbackInput,
    responses: { 200: { description: 'What is off, and what stays on and why.', schema: rolledBackSchema } },
    example: { body: { flag: 'enable_worker_canary_release', reason: 'it got worse' }, status: 200 },
    async handle({ body, actor, requestId }) {
      const by = { actor: (actor as Actor).ownerId, reason: body.reason, requestId };
      const name = body.flag === undefined ? undefined : requireFlagName(body.flag);
      const done = await rollout.rollBack({ flagName: name, keep: body.keep }, by);
      wakeups.notify(flagsTopic);
      return { status: 200, body: { data: rolledBackJson(done) } };
    },
  });

  const freeze = operation({
    ...common,
    method: 'put',
    path: `${path}/freeze`,
    id: 'freezeRollouts',
    summary: 'Lets nothing be raised until the freeze ends; what is bad is still rolled back.',
    query: noQuery,
    body: freezeInput,
    responses: { 200: { description: 'Whether it is frozen.', schema: dataOf(z.object({ frozen: z.boolean() })) } },
    example: { body: { frozen: false, reason: 'the weekend is over' }, status: 200 },
    async handle({ body, actor, requestId }) {
      const by = { actor: (actor as Actor).ownerId, reason: body.reason, requestId };
      if (body.frozen) await rollout.freeze(by, body.until === undefined ? null : new Date(body.until));
      else await rollout.unfreeze(by);
      return { status: 200, body: { data: { frozen: body.frozen } } };
    },
  });

  return [status, plans, explain, ask, answer, rollback, freeze];
}

/** @throws AppError `not-found` for what is no id */
function numberOf(id = ''): number {
  if (!/^\d{1,15}$/.test(id)) throw new AppError('not-found', 'There is nothing with this id.');
  return Number(id);
}
