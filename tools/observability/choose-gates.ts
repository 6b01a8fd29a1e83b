/** Which gates `npm run observability:check` runs. None that was asked for is left out without a word. */
import type { MonitoringInstallation } from '@omnizap/embedded';
import { createAlertmanagerGate } from '../../observability/check/alertmanager.ts';
import { createDashboardsGate, createPrometheusGate } from '../../observability/check/dashboards.ts';
import { createDriftGate, createRulesGate, createRuleTestsGate } from '../../observability/check/rules.ts';
import type { Gate } from '../check/run-gates.ts';
import { createLiveScrapeGate } from './live-scrape.ts';

export const gateNames = [
  'generated',
  'rules',
  'rule-tests',
  'alertmanager',
  'dashboards',
  'prometheus',
  'live-scrape',
] as const;

type Options = {
  root: string;
  /** Names; empty for all. */
  only: readonly string[];
  /** Null where there are none and none could be fetched. */
  tools: MonitoringInstallation | null;
  generate: () => ReadonlyMap<string, string>;
};

/** The slow ones first. What cannot be judged without promtool and amtool has failed: that is no remark. */
export function chooseGates({ root, only, tools, generate }: Options): Gate[] {
  const isChosen = (name: string): boolean => only.length === 0 || only.includes(name);
  const ofTools = tools === null ? missingPrograms() : createGatesOf(root, tools);
  return [...ofTools, createDriftGate(root, generate)].filter(({ name }) => isChosen(name));
}

function missingPrograms(): Gate[] {
  const findings = [
    'Install the packages "prometheus" and "prometheus-alertmanager" (or apt-get, which fetches them).',
  ];
  return gateNames
    .filter((name) => name !== 'generated')
    .map((name) => ({ name, run: async () => await Promise.resolve({ findings }) }));
}

function createGatesOf(root: string, tools: MonitoringInstallation): Gate[] {
  return [
    createLiveScrapeGate({ root, installation: tools }),
    createRuleTestsGate(root, tools),
    createRulesGate(root, tools),
    createAlertmanagerGate(root, tools),
    createDashboardsGate(root, tools),
    createPrometheusGate(root, tools),
  ];
}
