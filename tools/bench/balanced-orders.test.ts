import { describe, expect, it } from '@jest/globals';
import { balancedOrders } from './balanced-orders.ts';

describe('balanced orders', () => {
  it.each([2, 4, 6])('give each of %i each place once, and put each after each other one once', (count) => {
    const orders = balancedOrders(count);
    const places = new Set(orders.flatMap((order) => order.map((each, place) => `${each} at ${place}`)));
    const pairs = orders.flatMap((order) => order.slice(1).map((each, place) => `${order[place]} ${each}`));
    expect(places.size).toBe(count * count);
    expect(pairs).toHaveLength(count * (count - 1));
    expect(new Set(pairs).size).toBe(count * (count - 1));
  });

  it('are of an even number', () => {
    expect(() => balancedOrders(3)).toThrow(RangeError);
  });
});
