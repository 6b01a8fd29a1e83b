/** How sticker bytes and prepared answers get out, and what is sent to others. */
import type { Board } from '../board.ts';
import { limitsOf } from '../limits.ts';
import { fromLeader, perSecond, quantile, ratio, series } from '../queries.ts';

const delivered = 'omnizap_asset_delivery_total';
const cache = 'omnizap_cache_requests_total';
const duration = 'omnizap_worker_task_duration_seconds';

export const deliveryAndStorage: Board = {
  uid: 'delivery-and-storage',
  title: 'Delivery and storage',
  description: 'Do pictures arrive, who gives them, and does the bucket keep up?',
  rows: [
    {
      title: 'Sticker bytes',
      panels: [
        {
          kind: 'timeseries',
          title: 'Given by',
          description:
            'Per second: the disk, the bucket by way of the API, a redirect to the bucket, a redirect to the CDN. What the bucket failed to give is given by the disk.',
          unit: 'reqps',
          width: 8,
          isStacked: true,
          targets: [
            {
              expr: perSecond(['source'], delivered, 'outcome="ok"'),
              legend: '{{source}}',
              emptyWhile: 'none asked for',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Not given',
          description:
            'Per second by source and why. Of the bucket: slow, missing, corrupt, skipped (it is known to be away): the disk answered. Of the disk: nobody did.',
          unit: 'reqps',
          width: 8,
          targets: [
            {
              expr: perSecond(['source', 'outcome'], delivered, 'outcome!="ok"'),
              legend: '{{source}} {{outcome}}',
              emptyWhile: 'all were given',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Bytes take',
          description: 'From the request to the last byte sent: slow clients count.',
          unit: 'ms',
          width: 8,
          targets: [0.5, 0.95, 0.99].map((part) => ({
            expr: quantile(part, [], 'omnizap_http_request_duration_ms', 'route_group="catalog_data_asset"'),
            legend: `p${part * 100}`,
            emptyWhile: 'none asked for',
          })),
        },
      ],
    },
    {
      title: 'Bucket',
      panels: [
        {
          kind: 'timeline',
          title: 'Can be used',
          description:
            'As each process sees it: it looks every two seconds. While it cannot be used, the disk answers.',
          unit: 'bool_on_off',
          width: 8,
          targets: [
            {
              expr: `min by (process, instance) (${series('omnizap_object_storage_usable')})`,
              legend: '{{process}} {{instance}}',
              emptyWhile: 'no bucket is configured',
            },
          ],
          states: { 0: { text: 'away', color: 'red' }, 1: { text: 'usable', color: 'green' } },
        },
        {
          kind: 'timeseries',
          title: 'The disk answers for it',
          description: 'The part of what the bucket was asked for that it did not give.',
          unit: 'percentunit',
          width: 8,
          targets: [
            {
              expr: ratio(
                perSecond([], delivered, 'source="bucket"', 'outcome!="ok"'),
                perSecond([], delivered, 'source="bucket"'),
              ),
              legend: 'not given',
              emptyWhile: 'the bucket was not asked',
            },
          ],
          limits: limitsOf(['StorageFallback']),
        },
        {
          kind: 'timeseries',
          title: 'Bringing the bucket up to date',
          description: 'Tasks that upload and remove objects: unfinished ones, of all lanes.',
          unit: 'short',
          width: 8,
          targets: [
            {
              expr: `sum by (task_type) (${fromLeader(['task_type', 'lane'], 'omnizap_task_depth', 'task_type="storage"')})`,
              legend: '{{task_type}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Uploads and removals',
          description: 'Storage tasks that ended, per second by outcome.',
          unit: 'ops',
          width: 12,
          targets: [
            {
              expr: perSecond(['outcome'], `${duration}_count`, 'task_type="storage"'),
              legend: '{{outcome}}',
              emptyWhile: 'no bucket is configured',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Uploads and removals take, p95',
          description: 'An attempt: several objects of one sticker.',
          unit: 's',
          width: 12,
          targets: [
            {
              expr: quantile(0.95, ['lane'], duration, 'task_type="storage"'),
              legend: '{{lane}}',
              emptyWhile: 'no bucket is configured',
            },
          ],
        },
      ],
    },
    {
      title: 'Prepared answers',
      panels: [
        {
          kind: 'timeseries',
          title: 'Hits',
          description: 'The part of the look-ups that found an answer, by cache.',
          unit: 'percentunit',
          width: 12,
          targets: [
            {
              expr: ratio(perSecond(['cache'], cache, 'result="hit"'), perSecond(['cache'], cache)),
              legend: '{{cache}}',
              emptyWhile: 'no look-ups',
            },
          ],
          limits: limitsOf(['CacheHitsLow', 'CacheHitsCritical']),
        },
        {
          kind: 'timeseries',
          title: 'Look-ups',
          description: 'Per second, by cache and result. Alerts ask for more than one a second.',
          unit: 'ops',
          width: 12,
          isStacked: true,
          targets: [
            { expr: perSecond(['cache', 'result'], cache), legend: '{{cache}} {{result}}', emptyWhile: 'no look-ups' },
          ],
        },
      ],
    },
    {
      title: 'Webhooks',
      panels: [
        {
          kind: 'timeseries',
          title: 'To send',
          description:
            'Webhooks that were not delivered yet, retries among them. Receivers are not ours: one that is down makes this rise.',
          unit: 'short',
          width: 6,
          targets: [{ expr: fromLeader([], 'omnizap_queue_depth', 'queue="delivery_pending"'), legend: 'webhooks' }],
        },
        {
          kind: 'timeseries',
          title: 'The oldest has waited',
          description: 'The oldest webhook that is to be sent.',
          unit: 's',
          width: 6,
          targets: [
            { expr: fromLeader([], 'omnizap_queue_oldest_age_seconds', 'queue="delivery_pending"'), legend: 'oldest' },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Attempts',
          description: 'Per second by outcome. postponed: the receiver did not take it, and is asked again later.',
          unit: 'ops',
          width: 6,
          targets: [
            {
              expr: perSecond(['outcome'], `${duration}_count`, 'task_type="webhook"'),
              legend: '{{outcome}}',
              emptyWhile: 'nobody has subscribed',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Attempts take, p95',
          description: 'Until the receiver has answered, or was given up.',
          unit: 's',
          width: 6,
          targets: [
            {
              expr: quantile(0.95, [], duration, 'task_type="webhook"'),
              legend: 'attempt',
              emptyWhile: 'nobody has subscribed',
            },
          ],
        },
      ],
    },
  ],
};
