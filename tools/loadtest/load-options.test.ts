import { describe, expect, it } from '@jest/globals';
import { parseLoadOptions } from './load-options.ts';

const surroundings = { baseUrl: 'http://127.0.0.1:9102', sloTargetMs: undefined };
const parse = (...args: string[]) => {
  const options = parseLoadOptions(args, surroundings);
  if (options === null) throw new Error('only the help');
  return options;
};

describe('the options of the load test', () => {
  it('are those of the contract when nothing is said', () => {
    expect(parse()).toMatchObject({
      baseUrl: 'http://127.0.0.1:9102',
      model: { kind: 'closed', concurrency: 20 },
      durationSeconds: 30,
      warmupSeconds: 5,
      timeoutMs: 12_000,
      sloMs: 750,
      hasWrites: true,
      recoverySeconds: 900,
      out: null,
    });
  });

  it('take the command of the runbook', () => {
    const args = '--base-url http://127.0.0.1:9102 --duration-seconds 120 --concurrency 200 --slo-ms 750'.split(' ');
    expect(parse(...args)).toMatchObject({
      durationSeconds: 120,
      model: { kind: 'closed', concurrency: 200 },
      sloMs: 750,
    });
  });

  it('make the model open by a rate', () => {
    expect(parse('--rate', '12.5').model).toEqual({ kind: 'open', ratePerSecond: 12.5, arrivals: 'random' });
    expect(parse('--find-knee').model).toMatchObject({ kind: 'open' });
  });

  it('take the target of the fleet when HTTP_SLO_TARGET_MS is set', () => {
    expect(parseLoadOptions([], { ...surroundings, sloTargetMs: 300 })?.sloMs).toBe(300);
    expect(parseLoadOptions(['--slo-ms', '10'], { ...surroundings, sloTargetMs: 300 })?.sloMs).toBe(10);
  });

  it('leave writes out on another host, and of own paths', () => {
    expect(parse('--i-own-this-host').hasWrites).toBe(false);
    expect(parse('--i-own-this-host', '--mix', 'mixed').hasWrites).toBe(true);
    expect(parse('--paths', '/a,/b?c=1').hasWrites).toBe(false);
    expect(parse('--paths', '/a, /b?c=1,/a').paths).toEqual(['/a', '/b?c=1']);
  });

  it.each([
    [['--duration-seconds', '4'], /--duration-seconds must be a whole number from 5 to 3600, not "4"/],
    [['--duration-seconds', '3601'], /5 to 3600/],
    [['--timeout-ms', '999'], /--timeout-ms .* 1000/],
    [['--rate', '1e3'], /--rate must be a number/],
    [['--rate', '0'], /from 1/],
    [['--rate', '5', '--concurrency', '5'], /one of them/],
    [['--find-knee', '--concurrency', '5'], /--find-knee/],
    [['--find-knee', '--compare', 'a.json'], /--compare/],
    [['--mix', 'reads', '--paths', '/a'], /leave --mix out/],
    [['--arrivals', 'even'], /--arrivals is of the open model/],
    [['--connections', '9', '--concurrency', '5'], /--connections is of the open model/],
    [['--find-knee', '--duration-seconds', '60'], /leave --duration-seconds out/],
    [['--find-knee', '--warmup-seconds', '0'], /leave --warmup-seconds out/],
    [['--rate', '5', '--knee-p99-ms', '50'], /give --find-knee/],
    [['--rate', '5', '--knee-step-seconds', '5'], /give --find-knee/],
    [['--rate', '5', '--duration-seconds', '59', '--compare', 'a.json'], /--duration-seconds 60 or more/],
    [['--rate', '5', '--compare', 'a.json'], /--duration-seconds 60 or more/],
    [['--duration-seconds', '60', '--compare', 'x/../a.json', '--out', './a.json'], /overwrite the baseline/],
    [['--duration-seconds', '60', '--compare', 'a.html', '--out', 'a.json'], /overwrite the baseline/],
    [['--base-url', 'ftp://127.0.0.1'], /--base-url must be an http/],
    [['--base-url', 'http://user:secret@127.0.0.1'], /must not hold a password/],
    [['--paths', 'list'], /begin with one slash/],
    [['--paths', '//evil.example/'], /begin with one slash/],
    [['--paths', '/a b'], /begin with one slash/],
    [['--paths', ''], /begin with one slash/],
    [['--mix', 'writes'], /reads or mixed/],
    [['--rate', '5', '--arrivals', 'never'], /random or even/],
    [['--unknown'], /--unknown/],
    [['leftover'], /leftover/],
  ])('refuse %j', (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });
});
