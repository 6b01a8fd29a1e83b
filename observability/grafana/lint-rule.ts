/** What a rule of the linter is given and what it answers. The dashboard is read as JSON: as Grafana gets it. */

export type Json = Readonly<Record<string, unknown>>;

export type LintTarget = { expr: string; datasource?: { type?: string; uid?: string } };

export type LintPanel = {
  id: number;
  type: string;
  title?: string;
  description?: string;
  datasource?: { type?: string; uid?: string };
  targets?: LintTarget[];
  panels?: LintPanel[];
  fieldConfig?: { defaults?: { unit?: string }; overrides?: { properties?: { id: string; value?: unknown }[] }[] };
};

export type LintVariable = {
  name: string;
  type: string;
  label?: string;
  query?: string | Json;
  datasource?: { uid?: string };
  refresh?: number;
  multi?: boolean;
  allValue?: string;
};

export type LintDashboard = {
  title: string;
  editable?: boolean;
  templating: { list: LintVariable[] };
  panels: LintPanel[];
};

export type LintFinding = { rule: string; dashboard: string; panel?: string; message: string };

/** Left out on purpose: of one panel, and why. */
export type LintExclusion = { rules: readonly string[]; dashboard: string; panel: string; reason: string };

export type LintRule = {
  /** As in grafana/dashboard-linter. */
  name: string;
  check: (dashboard: LintDashboard) => { panel?: string; message: string }[];
};

/** All panels that show something; rows, open or folded, only hold them. */
export function panelsOf(dashboard: LintDashboard): LintPanel[] {
  return dashboard.panels.flatMap((panel) => (panel.type === 'row' ? (panel.panels ?? []) : [panel]));
}
