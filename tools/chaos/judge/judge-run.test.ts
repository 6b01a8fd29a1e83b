import { describe, expect, it } from '@jest/globals';
import { bucketOf } from '../flags/flip.ts';
import { cleanEvidence, effect, eventChange, eventLife, request, viewerHash } from './evidence.ts';
import { judgeLives } from './judge-rest.ts';
import { judgeRun } from './judge-run.ts';
import type { Evidence } from './judge-run.ts';
import type { Life } from '../fleet.ts';

/** Kinds that the checker finds in the clean run after `breakIt` has been at it. */
function kindsAfter(breakIt: (evidence: Evidence) => void): string[] {
  const evidence = cleanEvidence();
  breakIt(evidence);
  return [...new Set(judgeRun(evidence).map(({ kind }) => kind))].toSorted();
}

type Broken = [string, (evidence: Evidence) => void];

const pack = { pack: 'Chaos 1 1', packKey: 'chaos-1-1-aaaaaa', ownerId: 'owner-1' };
const packOf = ({ tables }: Evidence) => tables.packs[0] as Evidence['tables']['packs'][number];
const scoreOf = ({ tables }: Evidence) => tables.scores[0] as Evidence['tables']['scores'][number];
const assetOf = ({ tables }: Evidence) => tables.assets[0] as Evidence['tables']['assets'][number];
const dropEventsOf = ({ history }: Evidence, requestId: string, action?: string): void => {
  history.events = history.events.filter(
    (event) => event.requestId !== requestId || (action !== undefined && event.action !== action),
  );
};
const packEvent = (id: number, requestId: string | null, action: string) =>
  eventLife(id, { eventType: 'PACK_UPDATED', aggregate: 'sticker_pack:pack-1', action, requestId });

describe('the checker', () => {
  it('finds nothing in a clean run', () => expect(judgeRun(cleanEvidence())).toEqual([]));

  it.each<Broken>([
    ['an acknowledged pack is missing', ({ tables }) => (tables.packs = [])],
    ['an acknowledged pack has another key', (run) => (packOf(run).packKey = 'other')],
    ['an acknowledged sticker is not in its pack', ({ tables }) => (tables.items = [])],
    [
      'an acknowledged sticker has another id',
      (run) => (run.requests[1] = { ...request('r2', 'upload', 202, {}), ...run.requests[1], stickerId: 'asset-9' }),
    ],
    ['an acknowledged publication is missing', (run) => (packOf(run).status = 'draft')],
    [
      'an acknowledged deletion is missing',
      (run) => {
        run.requests.push(request('r9', 'delete', 204, pack));
        run.history.events.push(...packEvent(9, 'r9', 'deleted'));
      },
    ],
    ['an acknowledged vote is missing', ({ tables }) => (tables.interactions = [])],
    [
      'a counter is behind its log',
      ({ tables }) => (tables.engagement = [{ packId: 'pack-1', open: 0, like: 0, dislike: 0, version: 1 }]),
    ],
    ['a change came without its event', (run) => dropEventsOf(run, 'r3')],
    ['a change came with one of its two events', (run) => dropEventsOf(run, 'r2', 'sticker_added')],
    ['a sticker is still pending', (run) => (assetOf(run).status = 'pending')],
    ['a good sticker was rejected', (run) => (assetOf(run).status = 'rejected')],
    ['a ready sticker has no classification', ({ tables }) => (tables.classifications = [])],
    ['a ready sticker has no preview', ({ tables }) => tables.derivatives.pop()],
    [
      'work is behind what is wanted',
      ({ tables }) => tables.workStates.push({ taskType: 'curation', subjectId: 'x', wanted: 3, done: 2, failed: 1 }),
    ],
    [
      'a failed subject has no dead letter',
      ({ tables }) => tables.workStates.push({ taskType: 'curation', subjectId: 'x', wanted: 3, done: 2, failed: 3 }),
    ],
    ['a pack has no score', ({ tables }) => (tables.scores = [])],
    ['a score does not count a sticker', (run) => (scoreOf(run).stickerCount = 0)],
    ['a score is older than the last vote', (run) => (scoreOf(run).engagementVersion = 0)],
    ['a listed pack is missing in one ranking', ({ tables }) => (tables.ranking.recent = [])],
    ['there is no ranking', ({ tables }) => (tables.ranking = {})],
    [
      'an automatic pack holds what nobody shows any more',
      ({ tables }) => {
        tables.packs.push({
          ...(tables.packs[0] as (typeof tables.packs)[number]),
          id: 'auto',
          isAuto: true,
          packKey: 'auto',
        });
        tables.assets.push({ id: 'asset-2', ownerId: 'owner-1', sha256: 'b', status: 'ready' });
        tables.classifications.push({ assetId: 'asset-2', version: 1, themeKey: 'animals', nsfwLevel: 'safe' });
        tables.items.push({ packId: 'auto', assetId: 'asset-2' });
      },
    ],
    [
      'an unfinished event was deleted',
      ({ history }) =>
        history.events.push(
          eventChange(900, 90, {
            eventType: 'X',
            aggregate: 'a:1',
            action: null,
            requestId: null,
            operation: 'delete',
            oldStatus: 'pending',
            newStatus: null,
          }),
        ),
    ],
    ['a poison event is nowhere', ({ facts }) => facts.poisonEvents.push(99)],
    [
      'a client was told that its pack does not exist',
      ({ requests }) => requests.push(request('r9', 'like', 404, { ...pack, viewer: 'v' })),
    ],
  ])('calls it lost when %s', (_title, breakIt) => expect(kindsAfter(breakIt)).toContain('lost'));

  it.each<Broken>([
    [
      'a pack that nobody asked for',
      ({ tables }) =>
        tables.packs.push({
          ...(tables.packs[0] as (typeof tables.packs)[number]),
          id: 'pack-9',
          name: 'Other',
          packKey: 'other',
        }),
    ],
    ['a pack whose creation was refused', ({ requests }) => (requests[0] = request('r1', 'create', 422, pack))],
    [
      'a sticker that nobody uploaded',
      ({ tables }) => {
        tables.assets.push({ id: 'asset-9', ownerId: 'owner-1', sha256: 'c', status: 'ready' });
        tables.items.push({ packId: 'pack-1', assetId: 'asset-9' });
      },
    ],
    [
      'a sticker whose upload was refused',
      ({ requests }) => (requests[1] = { ...request('r2', 'upload', 422, pack), sha256: 'a'.repeat(64) }),
    ],
    ['a publication that was refused', ({ requests }) => (requests[2] = request('r3', 'publish', 409, pack))],
    ['a deletion that nobody asked for', (run) => (packOf(run).isDeleted = true)],
    [
      'a vote that nobody cast',
      ({ tables }) =>
        tables.interactions.push({
          packId: 'pack-1',
          interaction: 'open',
          viewerHash: viewerHash('x'),
          windowNumber: 1,
        }),
    ],
    ['an event of a request that nobody made', ({ history }) => history.events.push(...packEvent(9, 'r99', 'created'))],
    [
      'an event of a refused request',
      ({ requests }) => (requests[3] = request('r4', 'like', 404, { ...pack, viewer: 'viewer-1' })),
    ],
    [
      'a deleted pack that is still listed',
      (run) => {
        packOf(run).isDeleted = true;
        run.requests.push(request('r9', 'delete', 0, pack));
      },
    ],
  ])('calls %s unexpected', (_title, breakIt) => expect(kindsAfter(breakIt)).toContain('unexpected'));

  it.each<Broken>([
    [
      'two packs of one request',
      ({ tables }) =>
        tables.packs.push({ ...(tables.packs[0] as (typeof tables.packs)[number]), id: 'pack-2', packKey: 'other' }),
    ],
    [
      'a like beside the dislike of the same viewer',
      ({ requests, tables }) => {
        requests.push(request('r9', 'dislike', 200, { ...pack, viewer: 'viewer-1' }));
        tables.interactions.push(...tables.interactions.map((row) => ({ ...row, interaction: 'dislike' })));
      },
    ],
    ['a vote that was recorded twice', ({ tables }) => tables.interactions.push(...tables.interactions)],
    [
      'a counter ahead of its log',
      ({ tables }) => (tables.engagement = [{ packId: 'pack-1', open: 0, like: 2, dislike: 0, version: 1 }]),
    ],
    [
      'one version that was written twice',
      ({ history }) => history.effects.push(effect(9, 'sticker_pack_score_snapshot', 'pack-1', 6)),
    ],
    ['a request with its events twice', ({ history }) => history.events.push(...packEvent(9, 'r1', 'created'))],
    ['a pack that is ranked twice', ({ tables }) => (tables.ranking.recent = ['pack-1', 'pack-1'])],
    [
      'a completed event that starts anew',
      ({ history }) =>
        history.events.push(
          eventChange(900, 7, {
            eventType: 'ENGAGEMENT_RECORDED',
            aggregate: 'sticker_pack:pack-1',
            action: 'like',
            requestId: 'r4',
            operation: 'update',
            oldStatus: 'completed',
            newStatus: 'pending',
          }),
        ),
    ],
    [
      'one event that is two dead letters',
      ({ tables, facts }) => {
        facts.poisonEvents.push(99);
        tables.deadEvents = [1, 2].map(() => ({ eventId: 99, eventType: 'X', error: 'cannot be read' }));
      },
    ],
  ])('calls %s doubled', (_title, breakIt) => expect(kindsAfter(breakIt)).toContain('doubled'));

  it('calls an older version after a newer one a stale write', () =>
    expect(
      kindsAfter(({ history }) => history.effects.push(effect(9, 'sticker_pack_score_snapshot', 'pack-1', 5))),
    ).toEqual(['stale_write']));

  it('calls it an inversion when a later event of an aggregate is completed first', () => {
    const named = { eventType: 'PACK_UPDATED', aggregate: 'sticker_pack:pack-1', action: 'curated', requestId: null };
    const [insertFirst, claimFirst, completeFirst] = eventLife(20, named);
    const second = eventLife(21, named).map((change, index) => ({ ...change, seq: 202 + index / 10 }));
    if (!insertFirst || !claimFirst || !completeFirst) throw new Error('an event has three steps');
    const late = { ...completeFirst, seq: 300, batch: '300' };

    expect(kindsAfter(({ history }) => history.events.push(insertFirst, claimFirst, ...second, late))).toEqual([
      'inversion',
    ]);
    // In one statement the order of rows means nothing.
    const batch = { ...late, batch: 'both' };
    const together = [
      insertFirst,
      claimFirst,
      ...second.slice(0, 2),
      { ...(second[2] as typeof late), batch: 'both' },
      batch,
    ];
    expect(kindsAfter(({ history }) => history.events.push(...together))).toEqual([]);
  });

  it('calls it an inversion when a completed event bears an earlier time than one before it', () =>
    expect(
      kindsAfter(({ tables }) =>
        tables.completedEvents.push({ id: 9, aggregate: 'sticker_pack:pack-1', processedAtUs: 2 }),
      ),
    ).toEqual(['inversion']));

  it.each<Broken>([
    [
      'an active task',
      ({ tables }) => tables.openJobs.push({ id: 'j', queue: 'rebuild.stable', state: 'active', subject: 'pack-1' }),
    ],
    [
      'a processing event',
      ({ tables }) => tables.openEvents.push({ id: 1, status: 'processing', eventType: 'X', aggregate: 'a:1' }),
    ],
    [
      'a lease of a dead process',
      ({ tables }) => tables.leases.push({ name: 'outbox-shard-01', processId: 'p', isLive: false }),
    ],
  ])('calls %s after the rest an orphan', (_title, breakIt) => expect(kindsAfter(breakIt)).toEqual(['orphan']));

  it('says so when the fleet did not come to rest', () =>
    expect(kindsAfter((run) => (run.rest = { isQuiet: false, tookMs: 120_000, stuck: ['event 3'] }))).toEqual([
      'not_quiet',
    ]));

  it('calls a dead letter that nothing explains one', () => {
    expect(kindsAfter(({ tables }) => tables.deadEvents.push({ eventId: 5, eventType: 'X', error: 'no' }))).toEqual([
      'dead_letter',
    ]);
    expect(
      kindsAfter(({ tables }) =>
        tables.deadTasks.push({ taskId: 't', taskType: 'curation', subjectId: 'x', error: 'no' }),
      ),
    ).toEqual(['dead_letter']);
  });

  it('permits what an unknown answer permits, but not half of it', () => {
    const forget = (id: number) => (run: Evidence) => {
      const asked = run.requests[id] as Evidence['requests'][number];
      run.requests[id] = { ...asked, outcome: 'unknown', status: 0 };
    };
    expect(kindsAfter(forget(0))).toEqual([]);
    expect(kindsAfter(forget(3))).toEqual([]);
    expect(
      kindsAfter((run) => {
        run.requests.push(request('r9', 'create', 503, { pack: 'Chaos 1 9', ownerId: 'owner-1' }));
      }),
    ).toEqual([]);
    expect(
      kindsAfter((run) => {
        forget(1)(run);
        dropEventsOf(run, 'r2', 'sticker_added');
      }),
    ).toEqual(['lost']);
  });

  it('takes "not found" for a refusal, also while the pack is being deleted', () => {
    const deleteAt = (startedAt: number, endedAt: number) => (run: Evidence) => {
      packOf(run).isDeleted = true;
      Object.assign(scoreOf(run), { isListed: false });
      run.tables.ranking = { popular: [], recent: [] };
      const like = run.requests[3] as Evidence['requests'][number];
      run.requests[3] = { ...like, outcome: 'refused', status: 404 };
      run.requests.push({
        ...request('r9', 'delete', 204, pack),
        startedAt: like.startedAt + startedAt,
        endedAt: like.startedAt + endedAt,
      });
      run.history.events.push(...packEvent(9, 'r9', 'deleted'));
    };

    expect(kindsAfter(deleteAt(5, 20))).toEqual(['unexpected']);
    expect(kindsAfter(deleteAt(-20, -10))).toEqual(['unexpected']);
  });

  it('expects of each aggregate the events that the outbox flag asks for, and no others', () => {
    const outbox = 'enable_domain_event_outbox' as const;
    const bucket = bucketOf(outbox, 'sticker_pack:pack-1');
    const atPercent =
      (percent: number, breakIt: (run: Evidence) => void, secondsBefore = 60) =>
      (run: Evidence) => {
        const askedAt = run.facts.startedAt - secondsBefore * 1_000;
        const state = { isEnabled: percent > 0, percent };
        run.facts.flips.push({ flags: [outbox], state, how: 'sql', askedAt, answeredAt: askedAt + 5, isCertain: true });
        breakIt(run);
      };
    const withoutPublished = (run: Evidence): void => dropEventsOf(run, 'r3');
    const asItWas = (): void => undefined;

    expect(kindsAfter(atPercent(bucket, withoutPublished))).toContain('lost');
    expect(kindsAfter(atPercent(bucket - 1, asItWas))).toContain('unexpected');
    expect(
      kindsAfter(
        atPercent(bucket - 1, (run) => {
          for (const id of ['r1', 'r3', 'r4']) dropEventsOf(run, id);
          run.history.events = run.history.events.filter(({ action }) => action !== 'sticker_added');
          const isAnnounced = bucketOf(outbox, 'sticker_asset:asset-1') < bucket;
          if (!isAnnounced) dropEventsOf(run, 'r2');
        }),
      ),
    ).toEqual([]);
    // Processes may not have heard of it yet: either is right, until all of them have.
    expect(
      kindsAfter((run) => {
        atPercent(0, asItWas, 5)(run);
        run.facts.knownEverywhereAt = () => run.facts.startedAt;
      }),
    ).toContain('unexpected');
    expect(kindsAfter(atPercent(0, withoutPublished, 5))).toEqual([]);
    expect(kindsAfter(atPercent(0, asItWas, 5))).toEqual([]);
  });

  it('does not blame the product for what was done to it', () => {
    expect(
      kindsAfter(({ history }) =>
        history.effects.push({ ...effect(9, 'work_state', 'classification:asset-1', 1), actor: 'harness' }),
      ),
    ).toEqual([]);
    expect(
      kindsAfter((run) => {
        assetOf(run).status = 'rejected';
        run.facts.damagedContent.push('a'.repeat(64));
        Object.assign(scoreOf(run), { stickerCount: 0, isListed: false });
        run.tables.ranking = { popular: [], recent: [] };
      }),
    ).toEqual([]);
  });
});

describe('ends of processes', () => {
  const life = (about: Partial<Life>): Life => ({
    slot: 'relay-1',
    pid: 7,
    startedAt: 0,
    readyAt: 1_000,
    endedAt: 20_000,
    asked: null,
    askedAt: null,
    code: 0,
    signal: null,
    ...about,
  });
  const calm = () => false;

  it('are good when they were asked for and took less than 15 s, or when the process was killed', () => {
    expect(
      judgeLives(
        [life({ asked: 'stop', askedAt: 6_000 }), life({ asked: 'kill', code: null, signal: 'SIGKILL' })],
        calm,
      ),
    ).toEqual([]);
    expect(judgeLives([life({ endedAt: null })], calm)).toEqual([]);
  });

  it.each([
    ['by itself', life({ code: 1 })],
    ['late', life({ asked: 'stop', askedAt: 1_000 })],
    ['with a code', life({ asked: 'stop', askedAt: 19_000, code: 1 })],
    ['not at all', life({ asked: 'stop', askedAt: 19_000, endedAt: null, code: null })],
  ])('are bad when a process ends %s', (_title, bad) =>
    expect(judgeLives([bad], calm).map(({ kind }) => kind)).toEqual(['bad_end']),
  );

  it('are not held against a process whose database was away when it was asked to stop', () =>
    expect(judgeLives([life({ asked: 'stop', askedAt: 19_000, code: 1 })], () => true)).toEqual([]));
});
