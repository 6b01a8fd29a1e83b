/** Everything that is made from slo.ts and committed: paths from the project's root, with what has to be there. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { renderAlertmanagerFiles } from './alertmanager/render-alertmanager.ts';
import { alertIndexPath, renderAlertIndex, withAlertHead } from './alert-pages.ts';
import { renderRules } from './rules/render-rules.ts';
import { renderTests } from './rules/render-tests.ts';
import { alertPageOf, alerts } from './slo.ts';

/** Of a page about an alert only the head is made: it is put before what people have written. */
export function generateAlertFiles(root: string): Map<string, string> {
  return new Map([
    ...inFolder('observability/prometheus/rules', renderRules()),
    ...inFolder('observability/prometheus/tests', renderTests()),
    ...inFolder('observability/alertmanager', renderAlertmanagerFiles()),
    [alertIndexPath, renderAlertIndex()] as const,
    ...alerts.map((alert) => {
      const page = alertPageOf(alert.name);
      const file = path.join(root, page);
      return [page, withAlertHead(alert, existsSync(file) ? readFileSync(file, 'utf8') : '')] as const;
    }),
  ]);
}

function inFolder(folder: string, files: ReadonlyMap<string, string>): [string, string][] {
  return [...files].map(([name, text]) => [`${folder}/${name}`, text]);
}
