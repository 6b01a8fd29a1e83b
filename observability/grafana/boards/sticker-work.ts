/** The three kinds of work that the catalogue lives on: classification, curation, and building packs again. */
import { classificationFloor } from '../../slo.ts';
import type { Board } from '../board.ts';
import { floorAt, limitsOf } from '../limits.ts';
import type { Panel } from '../panel.ts';
import { countOf, fromLeader, mean, perSecond, quantile, series } from '../queries.ts';

const duration = 'omnizap_worker_task_duration_seconds';
const wait = 'omnizap_worker_task_wait_seconds';
const cycles = 'omnizap_sticker_classification_cycle_duration_ms';
const assets = 'omnizap_sticker_classification_assets_total';

export const stickerWork: Board = {
  uid: 'sticker-work',
  title: 'Classification, curation, rebuild',
  description: 'Is what people upload classified, sorted into packs and ranked, and how fast?',
  rows: [
    {
      title: 'Classification',
      panels: [
        {
          kind: 'stat',
          title: 'Assets a minute',
          description: `Classified or rejected. At least ${classificationFloor.assetsPerMinute} while there is a backlog; fewer when there is nothing to do.`,
          unit: 'cpm',
          decimals: 0,
          width: 6,
          targets: [
            {
              expr: `60 * (${perSecond([], assets, 'outcome=~"classified|rejected"')})`,
              legend: 'assets',
              emptyWhile: 'none yet',
            },
          ],
        },
        {
          kind: 'stat',
          title: 'Mean cycle',
          description: `A cycle is one claimed batch or one sweep pass; empty ones are left out. At most ${classificationFloor.meanCycleMs} ms.`,
          unit: 'ms',
          width: 6,
          targets: [{ expr: mean([], cycles, 'status!="empty"'), legend: 'mean', emptyWhile: 'nothing to do' }],
          limits: limitsOf(['ClassificationSlow']),
        },
        {
          kind: 'stat',
          title: 'To classify again',
          description:
            'Assets of an older provider version, with low confidence, or asked for. A new version makes this step up once.',
          unit: 'short',
          width: 6,
          targets: [
            {
              expr: fromLeader([], 'omnizap_queue_depth', 'queue="sticker_reprocess_pending"'),
              legend: 'assets',
            },
          ],
        },
        {
          kind: 'stat',
          title: 'Failed cycles',
          description: 'Cycles of which nothing came, or not all, in the last hour.',
          unit: 'short',
          decimals: 0,
          width: 6,
          targets: [
            {
              expr: `sum(increase(${series('omnizap_sticker_classification_cycle_total', 'status=~"failed|partial"')}[1h])) or vector(0)`,
              legend: 'failed',
            },
          ],
          limits: [{ value: 1, fires: 'above', color: 'yellow' }],
        },
        {
          kind: 'timeseries',
          title: 'Assets a minute, by outcome',
          description:
            'retried: the provider failed, and the asset is asked again; skipped: there was nothing to do any more.',
          unit: 'cpm',
          width: 8,
          isStacked: true,
          targets: [
            { expr: `60 * ${perSecond(['outcome'], assets)}`, legend: '{{outcome}}', emptyWhile: 'nothing to do' },
          ],
          limits: [floorAt(classificationFloor.assetsPerMinute, 'below')],
        },
        {
          kind: 'timeseries',
          title: 'Cycles take',
          description: 'Cycles that had something to do.',
          unit: 'ms',
          width: 8,
          targets: [
            { expr: mean([], cycles, 'status!="empty"'), legend: 'mean', emptyWhile: 'nothing to do' },
            { expr: quantile(0.95, [], cycles, 'status!="empty"'), legend: 'p95', emptyWhile: 'nothing to do' },
          ],
          limits: limitsOf(['ClassificationSlow']),
        },
        {
          kind: 'timeseries',
          title: 'Cycles by status',
          description: 'Cycles in each interval. Only empty ones, while tasks wait: the workers cannot see the work.',
          unit: 'short',
          width: 8,
          isStacked: true,
          targets: [{ expr: countOf(['status'], 'omnizap_sticker_classification_cycle_total'), legend: '{{status}}' }],
        },
        ...work('classification', 'Sticker pictures are looked at, and get their category and tags.'),
      ],
    },
    {
      title: 'Curation',
      panels: work('curation', 'Stickers are put into the packs of their theme.'),
    },
    {
      title: 'Rebuild',
      panels: work('rebuild', 'Packs are built again: cover, file, place in the ranking.'),
    },
    {
      title: 'Pictures and ranking',
      panels: [
        {
          kind: 'timeseries',
          title: 'Derivatives made',
          description: 'Smaller pictures of stickers, per second by outcome.',
          unit: 'ops',
          width: 6,
          targets: [
            {
              expr: perSecond(['outcome'], `${duration}_count`, 'task_type="derivative"'),
              legend: '{{outcome}}',
              emptyWhile: 'none yet',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Derivatives take, p95',
          description: 'Decoding and encoding a picture: nearly all of it is processor time.',
          unit: 's',
          width: 6,
          targets: [
            {
              expr: quantile(0.95, ['lane'], duration, 'task_type="derivative"'),
              legend: '{{lane}}',
              emptyWhile: 'none yet',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Age of the ranking',
          description: 'Since the newest published ranking.',
          unit: 's',
          width: 6,
          targets: [
            { expr: `time() - ${fromLeader([], 'omnizap_ranking_snapshot_timestamp_seconds')}`, legend: 'age' },
          ],
          limits: limitsOf(['SnapshotStale']),
        },
        {
          kind: 'timeseries',
          title: 'Packs to rank again',
          description:
            'Packs whose score changed and is not in the published ranking yet. Each refresh takes them all.',
          unit: 'short',
          width: 6,
          targets: [
            {
              expr: fromLeader([], 'omnizap_queue_depth', 'queue="sticker_pack_score_snapshot_pending"'),
              legend: 'packs',
            },
          ],
        },
      ],
    },
  ],
};

/** What there is to ask about every kind of task. */
function work(taskType: string, what: string): Panel[] {
  const own = `task_type="${taskType}"`;
  const panel = (title: string, description: string, unit: string, expr: string, legend: string): Panel => ({
    kind: 'timeseries',
    title: `${title}: ${taskType}`,
    description: `${what} ${description}`,
    unit,
    width: 6,
    targets: [{ expr, legend, emptyWhile: 'none yet' }],
  });
  return [
    panel(
      'Unfinished',
      'Tasks that wait, are worked or are to be tried again, by lane.',
      'short',
      fromLeader(['lane'], 'omnizap_task_depth', own),
      '{{lane}}',
    ),
    panel('Ended', 'Per second by outcome.', 'ops', perSecond(['outcome'], `${duration}_count`, own), '{{outcome}}'),
    panel(
      'Attempts take, p95',
      'By lane: inline in the API, stable, canary.',
      's',
      quantile(0.95, ['lane'], duration, own),
      '{{lane}}',
    ),
    panel(
      'Change to start, p95',
      'From the commit of the change to the start of its task.',
      's',
      quantile(0.95, ['lane'], wait, own),
      '{{lane}}',
    ),
  ];
}
