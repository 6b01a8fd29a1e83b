/** What happened to one sticker, pack or request, in the order of time, from the databases alone: no trace store is asked. */
import { readStory, taskTypesOf } from '@omnizap/catalog';
import { AppError, createLeaseStore, errorText } from '@omnizap/runtime';
import { readTaskHistory, type KnownTask, type TaskHistory } from '@omnizap/tasks';
import { UsageError, type Command, type Group } from '../command.ts';
import { printable } from '../terminal.ts';
import { seconds, traceLines, type TraceLine } from '../trace-timeline.ts';

/** What the API takes for a request's id; ids of stickers and keys of packs are of the same characters. */
const idShape = /^[A-Za-z0-9._-]{1,128}$/;

const tell: Command = {
  name: '',
  summary:
    'Tells what happened to a sticker, a pack or a request: events, tasks, what was made, who decided, how long each took, and where it waits now',
  operands: '<sticker id | pack key | request id>',
  options: {
    request: {
      type: 'boolean',
      description: 'It is the X-Request-Id of a request, also when a sticker or a pack is called the same',
    },
  },
  examples: ['trace 0198c5d2-7c1e-7f3a-9b1d-3f2a6f0e9c11', 'trace my-request-1 --json'],
  async run({ operands, options, session, terminal, isJson }) {
    const [id = '', ...more] = operands;
    if (more.length > 0 || !idShape.test(id))
      throw new UsageError('What of? Give the id of one sticker, the key of one pack, or an X-Request-Id.');
    const database = await session.database();
    const isRequest = options.flag('request');
    const story = await readStory(database, id, { isRequest });
    if (!story)
      throw new AppError(
        'not-found',
        `Nothing is known of ${id}: ${isRequest ? '' : "it is no sticker's id and no pack's key, and "}no request of that id changed anything in the last seven days.`,
      );
    const relatedIds = [...story.stickerIds, ...story.packIds, ...story.untakenMessages];
    const [queues, live, pauses] = await Promise.all([
      askQueues(async () => await readTaskHistory(session.queueDatabase(), { ...story, relatedIds })),
      createLeaseStore(database).liveProcesses(),
      session.taskPauses().then((store) => store.list()),
    ]);
    const { tasks, error: queuesError } = queues;
    const isCut = story.isCut || queues.isCut;
    const pausedTypes = pauses.map(({ taskType }) => taskType);
    const lines = traceLines({ story, tasks, live, pausedTypes, taskTypesOf });
    const startsAt = lines[0]?.at ?? new Date();
    const waiting = lines.filter(({ waits }) => waits !== null);
    const traceIds = [...new Set(story.events.flatMap(({ traceparent }) => traceparent?.split('-')[1] ?? []))];
    if (isJson) {
      const { stickerIds, packIds, requestIds } = story;
      terminal.json({
        data: {
          ...{ sticker_ids: stickerIds, pack_ids: packIds, request_ids: requestIds, trace_ids: traceIds },
          ...{ gone_sticker_ids: story.goneStickerIds, is_cut: isCut, queues_error: queuesError },
          is_over: waiting.length > 0 ? false : queuesError === null ? true : null,
          lines: lines.map((line) => lineJson(line, startsAt)),
        },
      });
      return 0;
    }
    terminal.table(
      ['TIME', 'AFTER', 'TOOK', 'BY', 'WHAT'],
      lines.map(({ at, tookMs, by, what, waits }) => [
        at.toISOString(),
        `+${seconds(at.getTime() - startsAt.getTime())}`,
        tookMs === null ? '' : seconds(tookMs),
        by,
        waits === null ? what : `${what} - ${waits}`,
      ]),
    );
    if (traceIds.length > 0) terminal.say(printable(`\nTraces: ${traceIds.join(', ')}`));
    if (story.goneStickerIds.length > 0) terminal.say(`\nCleaned up since: ${story.goneStickerIds.join(', ')}`);
    if (isCut)
      terminal.say('\nThere is more than this: of a thousand of a kind, the older ones that are over are left out.');
    if (queuesError !== null) terminal.say(printable(`\nThe queues could not be asked: ${queuesError}`));
    if (waiting.length > 0) terminal.say(printable(`\nWhere it waits\n${waiting.map(waitLine).join('\n')}`));
    else if (queuesError === null) terminal.say('\nNothing of it waits.');
    return 0;
  },
};

type Queues = { tasks: KnownTask[] | null; isCut: boolean; error: string | null };

/** They may be on another server than the catalogue, and the tables tell most of a story without them. */
async function askQueues(ask: () => Promise<TaskHistory>): Promise<Queues> {
  try {
    return { ...(await ask()), error: null };
  } catch (error) {
    return { tasks: null, isCut: false, error: errorText(error).split('\n', 1)[0] ?? '' };
  }
}

const waitLine = ({ what, waits }: TraceLine): string => `  ${what}: ${waits}`;

function lineJson({ at, tookMs, what, by, waits }: TraceLine, startsAt: Date) {
  return {
    at: at.toISOString(),
    after_ms: at.getTime() - startsAt.getTime(),
    took_ms: tookMs,
    ...{ what, by, waits },
  };
}

export const trace: Group = {
  name: 'trace',
  summary: 'What happened to one sticker, pack or request, and where it waits now',
  commands: [tell],
};
