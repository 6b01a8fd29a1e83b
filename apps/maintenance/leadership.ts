/** Which maintenance process leads. One that lost its lease may lead on for as long as nobody looks: every loop that takes long may. */
import { systemClock, type Clock, type ProcessContext } from '@omnizap/runtime';

const leaderLease = 'maintenance-leader';
/** A leader stays one while its lease is current; looking it up again only shows that somebody took over after a stall. */
const leadershipLookMs = 5_000;

type Membership = Pick<ProcessContext['membership'], 'balance' | 'isCurrent' | 'session'>;

export function createLeadership(
  membership: Membership,
  options: {
    /** How often one that does not lead looks. */
    lookMs: number;
    onChange: (isLeading: boolean) => void;
  },
  clock: Pick<Clock, 'now'> = systemClock,
) {
  let isLeading = false;
  let lookedAt = -Infinity;
  let lookedIn = -1;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const session = membership.session();
    if (session === lookedIn && clock.now() - lookedAt < (isLeading ? leadershipLookMs : options.lookMs)) return;
    const wasLeading = isLeading;
    isLeading = (await membership.balance([leaderLease], 1)).length > 0;
    lookedAt = clock.now();
    lookedIn = session;
    if (isLeading !== wasLeading) options.onChange(isLeading);
  }

  return {
    /** Takes the lead, or notices that it is lost, when it is time, or when the lease was lost meanwhile. Several may ask at once. */
    async keep(): Promise<void> {
      looking ??= look().finally(() => (looking = undefined));
      await looking;
    },
    leads: (): boolean => isLeading && membership.isCurrent(),
  };
}
