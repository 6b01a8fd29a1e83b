/**
 * A Prometheus and an Alertmanager that watch a fleet as those of production do: with the committed configuration, rules and routes,
 * but for addresses, and with every window divided by a time scale, so that an hour of theirs passes while a test waits.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  startAlertmanager,
  startPrometheus,
  type EmbeddedMonitoring,
  type MonitoringInstallation,
} from '@omnizap/embedded';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { renderAlertmanager } from '../alertmanager/render-alertmanager.ts';
import { renderRules } from '../rules/render-rules.ts';
import { startReceiver, type Told } from './start-receiver.ts';

const configFile = path.resolve(import.meta.dirname, '../prometheus/prometheus.yml');
const scrapeInterval = '1s';

export type Sample = { labels: Record<string, string>; value: number };

export type RuleState = { name: string; health: string; lastError: string };

export type Monitoring = {
  prometheusUrl: string;
  /** Series of an instant query. @throws Error with Prometheus' reason */
  query: (expr: string) => Promise<Sample[]>;
  /** Rules that were evaluated at least once. */
  rules: () => Promise<RuleState[]>;
  /** Whether it has scraped each of its targets: by `process`, those that answered last time. */
  targets: () => Promise<{ process: string; instance: string; isUp: boolean; lastError: string }[]>;
  /** Alerts that are active: `inhibited`, those that a cause keeps quiet; `loud`, the others. */
  alerts: () => Promise<{ loud: string[]; inhibited: string[] }>;
  /** What Alertmanager has told its receivers so far. */
  told: () => Told[];
  processes: { name: string; pid: number }[];
  stop: () => Promise<void>;
};

type Options = {
  installation: MonitoringInstallation;
  /** An empty folder; what they keep is in it. */
  folder: string;
  /** `http://host:port` of the API. */
  apiUrl: string;
  /** The fleet's METRICS_TOKEN. Default none: then the loopback may read. */
  metricsToken?: string;
  timeScale: number;
  signal?: AbortSignal;
};

const scrapeConfig = z.looseObject({
  job_name: z.string(),
  http_sd_configs: z.array(z.looseObject({ url: z.url() })).optional(),
});
const committedConfig = z.looseObject({ scrape_configs: z.array(scrapeConfig) });
const vector = z.object({
  data: z.object({
    resultType: z.string(),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});
const scalar = z.object({
  data: z.object({ resultType: z.literal('scalar'), result: z.tuple([z.number(), z.string()]) }),
});
const ruleGroups = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(z.object({ name: z.string(), health: z.string(), lastError: z.string().optional() })),
      }),
    ),
  }),
});
const targetList = z.object({
  data: z.object({
    activeTargets: z.array(
      z.object({ labels: z.record(z.string(), z.string()), health: z.string(), lastError: z.string() }),
    ),
  }),
});
const alertList = z.array(
  z.object({ labels: z.record(z.string(), z.string()), status: z.object({ inhibitedBy: z.array(z.string()) }) }),
);

/** Resolves when both answer. @throws AppError `unavailable`; nothing is left running then */
export async function startMonitoring(options: Options): Promise<Monitoring> {
  const { installation, folder, timeScale, metricsToken = '', signal } = options;
  const rulesFolder = path.join(folder, 'rules');
  await mkdir(rulesFolder, { recursive: true });
  for (const [name, text] of renderRules({ timeScale })) await writeFile(path.join(rulesFolder, name), text);
  await mkdir(path.join(folder, 'secrets'), { recursive: true });
  await writeFile(path.join(folder, 'secrets/metrics-token'), metricsToken, { mode: 0o600 });
  const common = { installation, ...(signal === undefined ? {} : { signal }) };

  const alertmanagerFile = path.join(folder, 'alertmanager.yml');
  const receiver = await startReceiver();
  const post = { webhook_configs: [{ url: receiver.url, send_resolved: true }] };
  const receivers = { page: post, today: post, ticket: post };
  let alertmanager: EmbeddedMonitoring | undefined;
  let prometheus: EmbeddedMonitoring;
  try {
    await writeFile(alertmanagerFile, renderAlertmanager({ timeScale, receivers }));
    alertmanager = await startAlertmanager({
      ...common,
      dataDir: path.join(folder, 'alertmanager'),
      configFile: alertmanagerFile,
    });
    const prometheusFile = path.join(folder, 'prometheus.yml');
    await writeFile(prometheusFile, await renderConfig(options, alertmanager.url));
    prometheus = await startPrometheus({
      ...common,
      dataDir: path.join(folder, 'prometheus'),
      configFile: prometheusFile,
    });
  } catch (error) {
    await alertmanager?.stop();
    await receiver.stop();
    throw error;
  }
  const { url: alertmanagerUrl, stop: stopAlertmanager } = alertmanager;

  const ask = async (where: string): Promise<unknown> => {
    const answer = await fetch(`${prometheus.url}/api/v1/${where}`);
    const body: unknown = await answer.json();
    if (!answer.ok) throw new Error(`Prometheus: ${(body as { error?: string }).error ?? String(answer.status)}`);
    return body;
  };

  return {
    prometheusUrl: prometheus.url,
    processes: [
      { name: 'Prometheus', pid: prometheus.pid },
      { name: 'Alertmanager', pid: alertmanager.pid },
    ],
    async query(expr) {
      const body = await ask(`query?query=${encodeURIComponent(expr)}`);
      const single = scalar.safeParse(body);
      if (single.success) return [{ labels: {}, value: Number(single.data.data.result[1]) }];
      return vector.parse(body).data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
    async rules() {
      const { groups } = ruleGroups.parse(await ask('rules')).data;
      return groups
        .flatMap(({ rules }) => rules)
        .map(({ name, health, lastError = '' }) => ({ name, health, lastError }));
    },
    async targets() {
      const { activeTargets } = targetList.parse(await ask('targets?state=active')).data;
      return activeTargets.map(({ labels, health, lastError }) => ({
        process: labels.process ?? '',
        instance: labels.instance ?? '',
        isUp: health === 'up',
        lastError,
      }));
    },
    async alerts() {
      const answer = await fetch(`${alertmanagerUrl}/api/v2/alerts?active=true&inhibited=true`);
      const alerts = alertList.parse(await answer.json());
      const namesOf = (some: typeof alerts): string[] =>
        [...new Set(some.map(({ labels }) => labels.alertname ?? ''))].toSorted();
      const isInhibited = ({ status }: (typeof alerts)[number]): boolean => status.inhibitedBy.length > 0;
      return {
        loud: namesOf(alerts.filter((alert) => !isInhibited(alert))),
        inhibited: namesOf(alerts.filter(isInhibited)),
      };
    },
    told: receiver.told,
    async stop() {
      await Promise.all([prometheus.stop(), stopAlertmanager()]);
      await receiver.stop();
    },
  };
}

/** The committed configuration, about this fleet only, in a hurry. */
async function renderConfig({ apiUrl }: Options, alertmanagerUrl: string): Promise<string> {
  const committed = committedConfig.parse(parse(await readFile(configFile, 'utf8')));
  const fleet = committed.scrape_configs.find(({ job_name: name }) => name === 'omnizap');
  if (fleet?.http_sd_configs === undefined)
    throw new Error(`${configFile} has no job omnizap that asks for its targets`);
  return stringify({
    ...committed,
    global: { scrape_interval: scrapeInterval, scrape_timeout: scrapeInterval, evaluation_interval: scrapeInterval },
    rule_files: ['rules/*.yml'],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanagerUrl).host] }] }] },
    scrape_configs: [
      {
        ...fleet,
        http_sd_configs: fleet.http_sd_configs.map((asked) => ({
          ...asked,
          url: new URL(new URL(asked.url).pathname, apiUrl).href,
          refresh_interval: scrapeInterval,
        })),
      },
    ],
  });
}
