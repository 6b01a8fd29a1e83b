/**
 * Loaded first by processes of a chaos fleet (`node --import`): shifts their wall clock by the milliseconds that a control file
 * holds. Only `Date` moves; monotonic time goes on, as it does when an operator or NTP sets a clock.
 */
import { readFileSync } from 'node:fs';

const lookIntervalMs = 100;
const file = new URL(import.meta.url).searchParams.get('control');

if (file !== null) {
  const RealDate = Date;
  let offsetMs = 0;
  const look = (): void => {
    try {
      offsetMs = Number(readFileSync(file, 'utf8')) || 0;
    } catch {
      offsetMs = 0;
    }
  };
  look();
  setInterval(look, lookIntervalMs).unref();
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [RealDate.now() + offsetMs] : args, newTarget) as object,
    apply: () => new RealDate(RealDate.now() + offsetMs).toString(),
    get: (target, property, receiver) =>
      property === 'now' ? () => RealDate.now() + offsetMs : (Reflect.get(target, property, receiver) as unknown),
  });
}
