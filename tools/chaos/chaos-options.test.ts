import { describe, expect, it } from '@jest/globals';
import { parseChaosOptions, replayCommand } from './chaos-options.ts';
import { allFaults } from './faults/all-faults.ts';
import { printHelp } from './help.ts';
import { violationKinds } from './judge/violation.ts';

describe('options of npm run chaos', () => {
  it('make a seed when none is given, and print the command that repeats a run', () => {
    const options = parseChaosOptions(['--database', 'mariadb', '--faults', 'kill,pause', '--runs', '3']);

    expect(options.seed).toBeGreaterThan(0);
    expect(options).toMatchObject({ runs: 3, durationSeconds: 20, isJson: false });
    const replay = replayCommand(options, 12);
    expect(replay).toBe('npm run chaos -- --seed 12 --database mariadb --faults kill,pause --duration 20 --rate 20');
    expect(parseChaosOptions(replay.split(' -- ')[1]?.split(' ') ?? [])).toMatchObject({
      seed: 12,
      faults: options.faults,
    });
  });

  it('repeat the mode of object storage', () => {
    const options = parseChaosOptions(['--faults', 'object-storage', '--storage-mode', 'redirect']);

    expect(options.storageMode).toBe('redirect');
    expect(parseChaosOptions([]).storageMode).toBe('proxy');
    expect(replayCommand(options, 3)).toMatch(/ --storage-mode redirect$/);
  });

  it('take all faults or none by those words', () => {
    expect(parseChaosOptions([]).faults).toEqual(allFaults);
    expect(parseChaosOptions(['--faults', 'none']).faults).toEqual([]);
    expect(replayCommand(parseChaosOptions(['--faults', 'none']), 1)).toContain('--faults none');
  });

  it.each([
    [['--faults', 'flood'], /no fault "flood"/],
    [['--database', 'oracle'], /postgres or mariadb/],
    [['--runs', '0'], /whole number/],
    [['--storage-mode', 'cdn'], /proxy or redirect/],
    [['--seed', 'x'], /whole number/],
    [['--seed', ''], /whole number/],
    [['--duration', '2.5'], /whole number/],
    [['--colour'], /colour/],
    [['run'], /run/],
  ])('refuse %j', (args, message) => expect(() => parseChaosOptions(args)).toThrow(message));
});

it('defines every word of a finding and lists every fault in the help', () => {
  const help = printHelp();
  for (const kind of violationKinds) expect(help).toMatch(new RegExp(`^  ${kind.replaceAll('_', ' ')} `, 'm'));
  for (const { name } of allFaults) expect(help).toContain(`  ${name} `);
});
