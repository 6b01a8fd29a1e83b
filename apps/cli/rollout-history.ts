/** What a run did: following it while it runs, and explaining it afterwards. */
import { setTimeout as delay } from 'node:timers/promises';
import { decisionJson, explainedJson, runJson } from '@omnizap/rollout';
import { UsageError, type Call, type Command } from './command.ts';

const lookIntervalMs = 1_000;
const finished = ['succeeded', 'rolled-back', 'aborted'];

type Told = { createdAt: Date; action: string; reason: string };

function line({ createdAt, action, reason }: Told): string {
  return `${createdAt.toISOString().slice(11, 19)}  ${action.padEnd(15)}  ${reason}`;
}

/** One line per decision as it is made. Returns the exit code. */
export async function followRun({ session, terminal, isJson }: Call, runId: number, limitMs: number): Promise<number> {
  const rollout = await session.rollout();
  const endsAt = performance.now() + limitMs;
  const all: object[] = [];
  for (let afterId = 0; ;) {
    const { run, decisions } = await rollout.follow(runId, afterId);
    for (const decision of decisions) {
      afterId = decision.id;
      all.push(decisionJson(decision));
      if (!isJson) terminal.say(line(decision));
    }
    const isOver = finished.includes(run.state.state) && decisions.length === 0;
    if (isOver || performance.now() >= endsAt) {
      if (isJson) terminal.json({ data: { ...runJson(run), decisions: all } });
      else terminal.say(isOver ? `Run ${run.id}: ${run.state.state}` : `Run ${run.id} goes on without being followed.`);
      return run.state.state === 'succeeded' ? 0 : 1;
    }
    if (decisions.length === 0) await delay(lookIntervalMs);
  }
}

export const explain: Command = {
  name: 'explain',
  summary: 'Shows what a run decided and on which samples, and decides each again: exit 1 when one does not follow',
  operands: '[<run id>]',
  options: { last: { type: 'string', value: 'n', description: 'Only the last n decisions, with every gate' } },
  examples: ['rollout explain', 'rollout explain 7 --last 3', 'rollout explain 7 --json'],
  async run({ operands, options, session, terminal, isJson }) {
    const [id, ...others] = operands;
    if (others.length > 0 || (id !== undefined && !/^\d{1,15}$/.test(id)))
      throw new UsageError('Which run? Give one id, as "rollout status" lists them, or none for the last one.');
    const last = options.number('last', { min: 1, max: 10_000, isWhole: true });
    const { run, decisions: all } = await (await session.rollout()).explain(id === undefined ? undefined : Number(id));
    const decisions = last === undefined ? all : all.slice(-last);
    const wrong = all.filter(({ isConfirmed }) => isConfirmed === false);
    if (isJson) terminal.json({ data: { ...runJson(run), decisions: decisions.map(explainedJson) } });
    else {
      terminal.say(`Run ${run.id} of ${run.planName} by ${run.startedBy}: ${run.state.state}. ${run.state.reason}`);
      for (const decision of decisions) {
        terminal.say(line(decision));
        if (decision.differs !== null) terminal.say(`          DOES NOT FOLLOW FROM ITS SAMPLES: ${decision.differs}`);
        const gates = decision.decision.gates.filter(({ outcome }) => last !== undefined || outcome !== 'pass');
        for (const gate of gates)
          terminal.say(`          ${gate.gate} ${gate.outcome}${gate.isDryRun ? ' (dry run)' : ''}: ${gate.reason}`);
      }
      const derived = all.filter(({ isConfirmed }) => isConfirmed === true).length;
      terminal.say(
        `${derived} of ${all.length} decisions were derived again from their samples${all.length > derived + wrong.length ? ', the others are an operator’s' : ''}; ${wrong.length} differ.`,
      );
    }
    return wrong.length === 0 ? 0 : 1;
  },
};
