/**
 * The clocks of this host and of the databases. Leases are judged by the catalogue's clock alone; ages, cursors and signatures mix
 * clocks, and a log that is off by seconds misleads whoever reads it.
 */
import { leaseTtlMs, safetyMarginMs, type ServerClock } from '@omnizap/runtime';
import { fail, ok, warn, type Finding } from './finding.ts';
import { quoted } from './mending.ts';

/** `name`: whose; `host`: where it is. */
export type ClockFacts = { name: string; host: string; clock: ServerClock }[];

export function judgeClocks(clocks: ClockFacts): Finding[] {
  const off = clocks.filter(({ clock }) => certainMs(clock) >= safetyMarginMs);
  if (off.length === 0)
    return [ok(`This host agrees on the time with ${clocks.map(({ name }) => name).join(', ')}, within a second.`)];
  // Everybody else cannot be wrong in the same way.
  const isOurs = off.length === clocks.length && clocks.length > 1 && sameSide(off);
  return off.map(({ name, host, clock }) => {
    const text = `The clock of ${name} is ${Math.abs(clock.aheadMs / 1_000).toFixed(1)} s ${clock.aheadMs > 0 ? 'ahead of' : 'behind'} this host's${isOurs ? '; all agree, so it is this host that is wrong' : ''}.`;
    const isHere = isOurs || host === 'localhost' || host === '[::1]' || host.startsWith('127.');
    const command = `${isHere ? '' : `ssh ${quoted(host)} `}sudo timedatectl set-ntp true`;
    return (certainMs(clock) >= leaseTtlMs ? fail : warn)(text, command);
  });
}

/** What is left of the difference when the answer took its whole time on one way. */
function certainMs({ aheadMs, roundTripMs }: ServerClock): number {
  return Math.max(0, Math.abs(aheadMs) - roundTripMs / 2);
}

function sameSide(clocks: ClockFacts): boolean {
  return new Set(clocks.map(({ clock }) => Math.sign(clock.aheadMs))).size === 1;
}
