/** Alertmanager's files as amtool understands them: valid, and each example told to whom it should be. */
import { routeExamples } from '../alertmanager/routes.ts';
import { renderAlertmanagerFiles } from '../alertmanager/render-alertmanager.ts';
import { findingsOf } from './gate.ts';
import type { MonitoringTools, ObservabilityGate } from './gate.ts';

export function createAlertmanagerGate(root: string, { amtool }: Pick<MonitoringTools, 'amtool'>): ObservabilityGate {
  return {
    name: 'alertmanager',
    run: async (signal) => {
      const at = { cwd: root, signal };
      const findings: string[] = [];
      for (const name of renderAlertmanagerFiles().keys()) {
        const file = `observability/alertmanager/${name}`;
        findings.push(...(await findingsOf(amtool, ['check-config', file], at)));
        for (const { labels, receiver } of routeExamples) {
          const pairs = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
          const test = [
            'config',
            'routes',
            'test',
            `--config.file=${file}`,
            `--verify.receivers=${receiver}`,
            ...pairs,
          ];
          const problems = await findingsOf(amtool, test, at);
          findings.push(...problems.map((problem) => `${file}: ${pairs.join(' ')} is not for ${receiver}: ${problem}`));
        }
      }
      return { findings };
    },
  };
}
