import { describe, expect, it } from '@jest/globals';
import { cleanEvidence, eventLife, request } from './evidence.ts';
import { judgeRun } from './judge-run.ts';

const pack = { pack: 'Chaos 1 1', packKey: 'chaos-1-1-aaaaaa', ownerId: 'owner-1' };

describe('the checker of requests', () => {
  it('misses no like that its viewer turned into a dislike', () => {
    const turned = cleanEvidence();
    turned.requests.push(request('r9', 'dislike', 200, { ...pack, viewer: 'viewer-1' }));
    const rated = { eventType: 'ENGAGEMENT_RECORDED', aggregate: 'sticker_pack:pack-1', action: 'dislike' };
    turned.history.events.push(...eventLife(9, { ...rated, requestId: 'r9' }));
    turned.tables.interactions = turned.tables.interactions.map((row) => ({ ...row, interaction: 'dislike' }));
    turned.tables.engagement = [{ packId: 'pack-1', open: 0, like: 0, dislike: 1, version: 1 }];

    expect(judgeRun(turned)).toEqual([]);
  });
});
