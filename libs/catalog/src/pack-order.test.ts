import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { orderProblems, startOfOrder } from './pack-order.ts';

describe('startOfOrder', () => {
  it('never shares a position with the order before, and stays near zero whatever comes and goes', () => {
    const step = fc.oneof(fc.constant('reorder'), fc.constant('add'), fc.nat(29));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        let positions = [0, 1, 2];
        for (const one of steps) {
          if (one === 'reorder') {
            const start = startOfOrder(positions);
            const next = positions.map((_, index) => start + index);
            expect(next.filter((position) => positions.includes(position))).toEqual([]);
            positions = next;
          } else if (one === 'add') {
            if (positions.length < 30) positions = [...positions, Math.max(...positions) + 1];
          } else if (positions.length > 1) positions = positions.toSpliced(one % positions.length, 1);
        }
        // Additions and removals alone may go on without end; one new order brings everything back.
        const start = startOfOrder(positions);
        const again = positions.map((_, index) => start + index);
        expect(Math.min(start, startOfOrder(again))).toBe(0);
      }),
    );
  });
});

describe('orderProblems', () => {
  it('finds nothing wrong with any order of exactly the stickers of the pack', () => {
    expect(orderProblems(['a', 'b', 'c'], ['c', 'a', 'b'])).toEqual([]);
  });

  it('names what is missing, what is unknown and what is named twice', () => {
    expect(orderProblems(['a', 'b', 'c'], ['a', 'x', 'a', 'b'])).toEqual([
      { pointer: '/sticker_ids/1', detail: 'x is not in the pack' },
      { pointer: '/sticker_ids/2', detail: 'a is named twice' },
      { pointer: '/sticker_ids', detail: 'c is missing' },
    ]);
  });
});
