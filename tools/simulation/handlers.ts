/**
 * The handlers of the simulation, made by the real `createVersionedHandler`: they read what they look at, compute for a while,
 * and write what they found with the next event in one transaction. Some subjects are poison until somebody has cured them.
 */
import { createVersionedHandler, type TaskType } from '@omnizap/catalog';
import type { EventDraft } from '@omnizap/outbox';
import type { Clock } from '@omnizap/runtime';
import type { TaskDefinition, TaskHandler, TaskOutcome } from '@omnizap/tasks';
import type { History } from './history.ts';
import { simulatedTypes, type MemoryCatalogue, type Subject } from './memory-catalogue.ts';
import type { Plan } from './plan.ts';

type Deps = {
  plan: Plan;
  catalogue: MemoryCatalogue;
  clock: Clock;
  random: () => number;
  history: History;
  processId: string;
  isCured: (subjectId: string) => boolean;
  isCalm: () => boolean;
  die: () => void;
};

const postponeMs = 200;
const longestSufferingMs = 200;

export function createDefinitions(deps: Deps): TaskDefinition[] {
  const { plan, catalogue, clock, random, history, processId, isCured, isCalm, die } = deps;

  const classify = createVersionedHandler(catalogue.ledger, 'classification', async (look) => {
    const asset = look.subjectId;
    // As a real one reads the words around a sticker only after it has decoded it.
    const isReadLate = random() < 0.5;
    if (isReadLate) await compute(asset, look.signal);
    const sources = await catalogue.readSources([asset]);
    if (!isReadLate) await compute(asset, look.signal);
    return look.commit(
      (trx) => catalogue.lock(trx, asset),
      async (trx): Promise<TaskOutcome> => {
        const subject: Subject = { taskType: 'classification', subjectId: asset };
        const before = await catalogue.findDerived(trx, subject);
        if (before !== null && isSame(before.sources, sources)) return { status: 'skipped', reason: 'nothing changed' };
        await catalogue.writeDerived(trx, subject, { version: look.version, sources });
        await catalogue.announce(trx, classified(asset, plan.packOf(asset)));
        return { status: 'done' };
      },
    );
  });

  const rebuild = createVersionedHandler(catalogue.ledger, 'rebuild', async (look) => {
    const pack = look.subjectId;
    const own = await catalogue.readSources([pack]);
    const parts = await catalogue.readDerived(
      plan.assetsOf(pack).map((subjectId) => ({ taskType: 'classification', subjectId })),
    );
    const sources = { ...own, ...parts };
    await compute(pack, look.signal);
    return look.commit(
      (trx) => catalogue.lock(trx, pack),
      async (trx): Promise<TaskOutcome> => {
        const subject: Subject = { taskType: 'rebuild', subjectId: pack };
        const before = await catalogue.findDerived(trx, subject);
        if (before !== null && isSame(before.sources, sources)) return { status: 'skipped', reason: 'nothing changed' };
        await catalogue.writeDerived(trx, subject, { version: look.version, sources });
        return { status: 'done' };
      },
    );
  });

  async function compute(subjectId: string, signal: AbortSignal): Promise<void> {
    const poison = isCured(subjectId) ? undefined : plan.poison.get(subjectId);
    if (poison !== undefined) {
      await clock.sleep(Math.round(random() * longestSufferingMs));
      if (poison === 'throws') throw new Error('poison');
      if (poison === 'kills') die();
      await new Promise(() => undefined);
    }
    // Half of the handlers heed the signal.
    if (plan.longestWorkMs > 0)
      await clock.sleep(Math.round(random() * plan.longestWorkMs), random() < 0.5 ? signal : undefined);
  }

  function observed(work: TaskHandler): TaskHandler {
    return async (task, context) => {
      const about = { by: processId, taskId: task.id, subject: `${task.taskType}:${task.subjectId}` };
      history.record({ kind: 'started', ...about });
      try {
        if (!isCalm() && random() < plan.failureRate) throw new Error('a passing trouble');
        const outcome: TaskOutcome =
          !isCalm() && random() < plan.postponeRate
            ? { status: 'retryAfter', milliseconds: postponeMs, reason: 'not now' }
            : await work(task, context);
        history.record({ kind: 'ended', ...about, outcome: outcome.status });
        return outcome;
      } catch (error) {
        history.record({ kind: 'ended', ...about, outcome: (error as Error).message });
        throw error;
      }
    };
  }

  const handlers: Record<(typeof simulatedTypes)[number], TaskHandler> = { classification: classify, rebuild };
  return simulatedTypes.map((type: TaskType & keyof typeof handlers) => {
    const settings = plan.settings.find((entry) => entry.type === type);
    if (!settings) throw new Error(`No settings for ${type}`);
    return { settings, handle: observed(handlers[type]) };
  });
}

function classified(asset: string, pack: string): EventDraft {
  return {
    ...{ type: 'STICKER_CLASSIFIED', aggregateType: 'sticker_asset', aggregateId: asset, priority: 80 },
    payload: { asset_id: asset, category: null, is_rejected: false, pack_ids: [pack], theme_keys: [] },
  };
}

function isSame(a: Record<string, number>, b: Record<string, number>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
