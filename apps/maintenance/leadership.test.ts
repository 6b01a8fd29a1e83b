import { describe, expect, it } from '@jest/globals';
import { createLeadership } from './leadership.ts';

function createSubject() {
  const lease = { holder: 'us', session: 1, isCurrent: true, looks: 0 };
  const changes: boolean[] = [];
  const membership = {
    session: () => lease.session,
    isCurrent: () => lease.isCurrent,
    async balance(names: string[]) {
      lease.looks += 1;
      await Promise.resolve();
      return lease.holder === 'us' ? names.map((name) => ({ name, epoch: 1 })) : [];
    },
  };
  let now = 0;
  const options = { lookMs: 2_000, onChange: (isLeading: boolean) => void changes.push(isLeading) };
  const leadership = createLeadership(membership, options, { now: () => now });
  return { lease, changes, leadership, pass: (milliseconds: number) => (now += milliseconds) };
}

describe('the lead of maintenance', () => {
  it('is looked at every five seconds by whoever has it, and as often as said by others', async () => {
    const { lease, leadership, pass } = createSubject();
    await leadership.keep();
    pass(4_999);
    await leadership.keep();
    expect([lease.looks, leadership.leads()]).toEqual([1, true]);

    lease.holder = 'them';
    pass(1);
    await leadership.keep();
    expect([lease.looks, leadership.leads()]).toEqual([2, false]);
    pass(2_000);
    await leadership.keep();
    expect(lease.looks).toBe(3);
  });

  it('is noticed to be lost at once by the next who asks, when the lease was lost and taken anew', async () => {
    const { lease, changes, leadership } = createSubject();
    await leadership.keep();
    Object.assign(lease, { holder: 'them', session: 2 });
    await leadership.keep();

    expect(leadership.leads()).toBe(false);
    expect(changes).toEqual([true, false]);
  });

  it('is nobody’s while the lease is not current', async () => {
    const { lease, leadership } = createSubject();
    await leadership.keep();
    lease.isCurrent = false;

    expect(leadership.leads()).toBe(false);
  });

  it('is looked at, and told of, once by several who ask at the same time', async () => {
    const { lease, changes, leadership } = createSubject();
    await Promise.all([leadership.keep(), leadership.keep()]);

    expect([lease.looks, changes]).toEqual([1, [true]]);
  });
});
