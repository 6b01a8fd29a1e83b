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
  inhibit_rules: { source_matchers: string[]; target_matchers: string[] }[];
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
    const held = new Map(
      delivered.inhibit_rules.map(({ source_matchers: [source = ''], target_matchers: [target = ''] }) => [
        /alertname="(\w+)"/.exec(target)?.[1],
        /alertname=~"([\w|]+)"/.exec(source)?.[1]?.split('|').toSorted(),
      ]),
    );
    for (const { name, inhibitedBy } of alerts)
      expect(held.get(name) ?? []).toEqual([...new Set(inhibitedBy)].toSorted());
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
