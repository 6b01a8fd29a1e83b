/**
 * Orders of so many things that are measured in turn, such that each has each place as often as any other and each comes directly
 * after each other one equally often: what one leaves behind (a buffer still being sent, a warm cache, a hot processor) meets all
 * of the rest alike. E. J. Williams, "Experimental designs balanced for the estimation of residual effects of treatments", 1949.
 */

/** `count` orders of 0 to count - 1. @throws RangeError for an odd number, which would take twice as many */
export function balancedOrders(count: number): number[][] {
  if (count < 2 || count % 2 !== 0) throw new RangeError(`Balanced orders are of an even number, not of ${count}`);
  const first = Array.from({ length: count }, (_none, place) =>
    place % 2 === 0 ? (count - place / 2) % count : (place + 1) / 2,
  );
  return Array.from({ length: count }, (_none, shift) => first.map((each) => (each + shift) % count));
}
