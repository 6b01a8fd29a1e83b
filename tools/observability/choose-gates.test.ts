import { describe, expect, it } from '@jest/globals';
import { runGates } from '../check/run-gates.ts';
import { chooseGates, gateNames } from './choose-gates.ts';

const tools = {
  ...{ prometheus: 'prometheus', promtool: 'promtool', alertmanager: 'alertmanager', amtool: 'amtool', home: '/' },
  versions: { prometheus: '1.0.0', alertmanager: '1.0.0' },
};
const choose = (only: string[], have: typeof tools | null) =>
  chooseGates({ root: '/nowhere', only, tools: have, generate: () => new Map() });
const namesOf = (gates: { name: string }[]): string[] => gates.map(({ name }) => name).toSorted();

describe('the gates of observability', () => {
  it('are all of them, or those that were asked for', () => {
    expect(namesOf(choose([], tools))).toEqual(gateNames.toSorted());
    expect(namesOf(choose(['rules', 'generated'], tools))).toEqual(['generated', 'rules']);
  });

  it.each([[['rules']], [['live-scrape', 'alertmanager']], [[]]])(
    'fail without promtool and amtool when %j is asked for',
    async (only) => {
      const gates = choose(only, null);
      const options = { gatesAtOnce: 1, signal: new AbortController().signal, print: () => undefined };
      const { passed, failed } = await runGates(gates, options);
      const wanted = only.length === 0 ? gateNames.filter((name) => name !== 'generated') : only;
      expect(failed.toSorted()).toEqual(wanted.toSorted());
      expect(passed).toEqual(only.length === 0 ? ['generated'] : []);
    },
  );

  it('need no programs for what was generated', () => {
    expect(namesOf(choose(['generated'], null))).toEqual(['generated']);
  });
});
