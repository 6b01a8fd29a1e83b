import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { alerts } from '../slo.ts';
import { renderAlertmanager, renderAlertmanagerFiles } from './render-alertmanager.ts';

type Configuration = {
  route: {
    receiver: string;
    group_wait: string;
    routes: { matchers: string[]; receiver: string; group_wait: string }[];
  };
  inhibit_rules: { source_matchers: string[]; target_matchers: string[]; equal?: string[] }[];
  receivers: { name: string }[];
};

const delivered = parse(renderAlertmanager()) as Configuration;

describe("Alertmanager's configuration", () => {
  it('tells somebody of every severity that an alert has, and of what has none', () => {
    const severities = delivered.route.routes.map(({ matchers }) => matchers.join());
    for (const { severity } of alerts) expect(severities).toContain(`severity="${severity}"`);
    expect(delivered.receivers.map(({ name }) => name)).toContain(delivered.route.receiver);
  });

  it('holds back each alert by exactly its causes', () => {
    const held = delivered.inhibit_rules.flatMap(({ source_matchers: [source = '', ...where], ...rule }) => {
      const target = /^alertname="(\w+)"$/.exec(rule.target_matchers.join())?.[1];
      const sources = /^alertname=~"([\w|]+)"$/.exec(source)?.[1]?.split('|') ?? [];
      return sources.map((cause) => [target, cause, where.join(), (rule.equal ?? []).join()].join(' '));
    });
    const wanted = alerts.flatMap(({ name, inhibitedBy }) =>
      inhibitedBy.map(({ alert, where = {}, equal = [] }) => {
        const labels = Object.entries(where).map(([label, value]) => `${label}="${value}"`);
        return [name, alert, labels.join(), equal.join()].join(' ');
      }),
    );
    expect(held.toSorted()).toEqual(wanted.toSorted());
  });

  it('holds back by the alerts of the same database, or of one kind of process alone', () => {
    const ofTarget = (name: string): Configuration['inhibit_rules'] =>
      delivered.inhibit_rules.filter(({ target_matchers: targets }) => targets.includes(`alertname="${name}"`));
    expect(ofTarget('DatabaseLockWaits')).toContainEqual({
      source_matchers: ['alertname=~"DatabaseFailing"'],
      target_matchers: ['alertname="DatabaseLockWaits"'],
      equal: ['database'],
    });
    expect(ofTarget('HttpErrorDataMissing')).toContainEqual({
      source_matchers: ['alertname=~"TargetDown"', 'process="api"'],
      target_matchers: ['alertname="HttpErrorDataMissing"'],
    });
  });

  it('waits shorter by a time scale', () => {
    const hastened = parse(renderAlertmanager({ timeScale: 10 })) as Configuration;
    expect([delivered, hastened].map(({ route }) => route.group_wait)).toEqual(['10s', '1s']);
  });

  it('has no secret, and only addresses that are the loopback or examples', () => {
    for (const text of renderAlertmanagerFiles().values()) {
      expect(text).not.toMatch(/\b(?:password|api_url|routing_key|token|secret): /);
      const hosts = [...text.matchAll(/(?:https?:\/\/|@)([\w.-]+)/g)].map(([, host]) => host);
      expect(hosts.filter((host) => host !== '127.0.0.1' && !host?.endsWith('example.org'))).toEqual([]);
    }
  });
});
