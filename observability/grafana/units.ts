/** Units that the dashboards may use, by Grafana's names: `categories.ts` of @grafana/data has all of them. A typing error is no unit. */
export const units: ReadonlySet<string> = new Set([
  ...['none', 'short', 'percent', 'percentunit'],
  ...['bytes', 'decbytes', 'binBps', 'Bps'],
  ...['ms', 's', 'm', 'h', 'd'],
  ...['cps', 'ops', 'reqps', 'rps', 'wps', 'iops', 'cpm', 'opm', 'rpm', 'wpm'],
  ...['dateTimeAsIso', 'dateTimeFromNow'],
  ...['bool', 'bool_yes_no', 'bool_on_off'],
]);
