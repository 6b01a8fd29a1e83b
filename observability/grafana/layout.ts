/** What Grafana would show without complaint, and people would not understand: panels on top of each other, two of one name. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';

const columns = 24;

export function findLayoutProblems({ title = '', panels = [] }: Dashboard): string[] {
  const placed = panels.map((panel) => ({
    name: panel.title ?? '',
    id: panel.id,
    isRow: panel.type === 'row',
    ...(panel.gridPos ?? { x: 0, y: 0, w: 0, h: 0 }),
  }));
  const problems = placed.flatMap((panel, index) => {
    const before = placed.slice(0, index);
    const covered = before.find(
      (other) =>
        panel.x < other.x + other.w &&
        other.x < panel.x + panel.w &&
        panel.y < other.y + other.h &&
        other.y < panel.y + panel.h,
    );
    return [
      ...(panel.w > 0 && panel.h > 0 ? [] : [`${panel.name} has no size`]),
      ...(panel.x + panel.w > columns ? [`${panel.name} is beyond column ${columns}`] : []),
      ...(covered === undefined ? [] : [`${panel.name} covers ${covered.name}`]),
      ...(before.some(({ id }) => id === panel.id) ? [`${panel.name} has the id of another panel`] : []),
      ...(!panel.isRow && before.some(({ name, isRow }) => !isRow && name === panel.name)
        ? [`${panel.name} is there twice`]
        : []),
    ];
  });
  return problems.map((problem) => `${title}: ${problem}`);
}
