/** Who is told of what, how soon and how often. Data; render-alertmanager.ts makes Alertmanager's file of it. */
import type { Duration, Severity } from '../slo.ts';

export type ReceiverName = 'page' | 'today' | 'ticket';

export type Route = {
  severity: Severity;
  receiver: ReceiverName;
  /** For the alerts of one cause to come together. */
  groupWait: Duration;
  /** Before news of a group that was told of already. */
  groupInterval: Duration;
  /** Before the same is told again. */
  repeatInterval: Duration;
};

export const routes: readonly Route[] = [
  { severity: 'critical', receiver: 'page', groupWait: '10s', groupInterval: '2m', repeatInterval: '1h' },
  { severity: 'high', receiver: 'today', groupWait: '30s', groupInterval: '5m', repeatInterval: '4h' },
  { severity: 'medium', receiver: 'ticket', groupWait: '5m', groupInterval: '30m', repeatInterval: '1d' },
];

/** What has no severity of ours must not be lost. */
export const defaultReceiver: ReceiverName = 'page';

/** Of one group; area is the alert's, so that an alert of each queue or database comes in one message. */
export const groupBy = ['alertname', 'area'] as const;

/** Until somebody names receivers of their own: whatever listens there gets the alerts as JSON, and nobody else. */
export const loopbackWebhook = 'http://127.0.0.1:9119/alerts';

/** Labels of alerts, and who is to be told: `amtool config routes test` holds the file to it. */
export const routeExamples: readonly { labels: Readonly<Record<string, string>>; receiver: ReceiverName }[] = [
  { labels: { alertname: 'ApiDown', severity: 'critical', area: 'processes', service: 'omnizap' }, receiver: 'page' },
  { labels: { alertname: 'DlqGrowing', severity: 'high', area: 'queues', service: 'omnizap' }, receiver: 'today' },
  {
    labels: { alertname: 'CacheHitsLow', severity: 'medium', area: 'catalogue', service: 'omnizap' },
    receiver: 'ticket',
  },
  { labels: { alertname: 'SomebodyElses' }, receiver: 'page' },
  { labels: { alertname: 'Misspelt', severity: 'crtical' }, receiver: 'page' },
];
