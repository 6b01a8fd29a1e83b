/**
 * Alertmanager's configuration: routes by severity, and causes that keep their symptoms quiet. Secrets are never in the file: what
 * needs one reads it from a file of its own (`api_url_file`, `auth_password_file`).
 */
import { stringify } from 'yaml';
import { generatedNote } from '../rules/render-rules.ts';
import { scaleDuration } from '../rules/duration.ts';
import { alerts } from '../slo.ts';
import type { Alert, Duration } from '../slo.ts';
import { defaultReceiver, groupBy, loopbackWebhook, routes } from './routes.ts';
import type { ReceiverName } from './routes.ts';

type Options = {
  /** Waits and intervals are divided by it, as in renderRules. */
  timeScale?: number;
  /** What each receiver does, in Alertmanager's words; as delivered, all post to one loopback address. */
  receivers?: Readonly<Record<ReceiverName, object>>;
  global?: object;
};

export type AlertmanagerFiles = 'alertmanager.yml' | 'alertmanager.example.yml';

const receiverNames: readonly ReceiverName[] = ['page', 'today', 'ticket'];

const loopback = { webhook_configs: [{ url: loopbackWebhook, send_resolved: true }] };
const loopbackReceivers = { page: loopback, today: loopback, ticket: loopback };

/** The configuration as text. */
export function renderAlertmanager({ timeScale = 1, receivers = loopbackReceivers, global }: Options = {}): string {
  const scaled = (text: Duration): string => scaleDuration(text, timeScale);
  const times = ({ groupWait, groupInterval, repeatInterval }: (typeof routes)[number]): object => ({
    group_wait: scaled(groupWait),
    group_interval: scaled(groupInterval),
    repeat_interval: scaled(repeatInterval),
  });
  const [first] = routes;
  const document = {
    ...(global === undefined ? {} : { global }),
    route: {
      receiver: defaultReceiver,
      group_by: [...groupBy],
      ...(first === undefined ? {} : times(first)),
      routes: routes.map((route) => ({
        matchers: [`severity="${route.severity}"`],
        receiver: route.receiver,
        ...times(route),
      })),
    },
    inhibit_rules: alerts.flatMap(inhibitionsOf),
    receivers: receiverNames.map((name) => ({ name, ...receivers[name] })),
  };
  return stringify(document, { lineWidth: 0 });
}

/** One rule for the causes that are held to the same labels. */
function inhibitionsOf({ name, inhibitedBy }: Alert): object[] {
  const held = Map.groupBy(inhibitedBy, ({ where = {}, equal = [] }) => JSON.stringify([where, equal]));
  return [...held.values()].map((causes) => {
    const { where = {}, equal } = causes[0] ?? {};
    const sources = new Set(causes.map(({ alert }) => alert));
    return {
      source_matchers: [
        `alertname=~"${[...sources].join('|')}"`,
        ...Object.entries(where).map(([label, value]) => `${label}="${value}"`),
      ],
      target_matchers: [`alertname="${name}"`],
      ...(equal === undefined ? {} : { equal: [...equal] }),
    };
  });
}

/** The files that are committed: as delivered, and with receivers as people have them. */
export function renderAlertmanagerFiles(): Map<AlertmanagerFiles, string> {
  const delivered = [
    `# ${generatedNote}`,
    `# All receivers post to ${loopbackWebhook}: for chat, mail or a pager see alertmanager.example.yml.`,
    '',
  ].join('\n');
  const example = [
    `# ${generatedNote}`,
    '# Receivers as people have them. Copy the ones that you need into a file of your own; secrets stay in files beside it.',
    '',
  ].join('\n');
  return new Map([
    ['alertmanager.yml', delivered + renderAlertmanager()],
    ['alertmanager.example.yml', example + renderAlertmanager(exampleReceivers())],
  ]);
}

function exampleReceivers(): Options {
  const secrets = '/etc/alertmanager/secrets';
  const slack = (channel: string): object => ({
    slack_configs: [
      {
        api_url_file: `${secrets}/slack-url`,
        channel,
        send_resolved: true,
        title: '{{ .CommonLabels.alertname }} ({{ .CommonLabels.severity }})',
        text: '{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.description }}\n{{ .Annotations.runbook }}\n{{ end }}',
      },
    ],
  });
  return {
    global: {
      smtp_smarthost: 'mail.example.org:587',
      smtp_from: 'alerts@example.org',
      smtp_auth_username: 'alerts',
      smtp_auth_password_file: `${secrets}/smtp-password`,
    },
    receivers: {
      page: {
        pagerduty_configs: [{ routing_key_file: `${secrets}/pagerduty-key`, send_resolved: true }],
        ...slack('#omnizap-alerts'),
      },
      today: slack('#omnizap-alerts'),
      ticket: { email_configs: [{ to: 'omnizap@example.org', send_resolved: false }] },
    },
  };
}
