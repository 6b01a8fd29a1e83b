/** The flags that there are, with what each starts as and whom it decides about. */

export const flagDefinitions = {
  enable_ranking_snapshot_read: {
    first: { isEnabled: true, rolloutPercent: 100 },
    subject: 'viewer (lists) or pack key (one pack)',
    description: 'Lists are answered from the published ranking generation.',
  },
  enable_domain_event_outbox: {
    first: { isEnabled: true, rolloutPercent: 100 },
    subject: '<aggregate type>:<aggregate id>',
    description: 'Changes are announced through the outbox; the rest is found by sweeps.',
  },
  enable_worker_dedicated_processes: {
    first: { isEnabled: true, rolloutPercent: 100 },
    subject: 'asset, pack or theme id',
    description: 'Tasks are worked by the dedicated processes; the rest by the inline poller.',
  },
  enable_worker_canary_release: {
    first: { isEnabled: false, rolloutPercent: 0 },
    subject: 'asset, pack or theme id',
    description: 'Share of the dedicated work for workers started with WORKER_RELEASE=canary.',
  },
  enable_object_storage_delivery: {
    first: { isEnabled: false, rolloutPercent: 0 },
    subject: 'asset sha256',
    description: 'Sticker bytes are delivered from object storage; the rest from local disk.',
  },
} as const satisfies Record<
  string,
  { first: { isEnabled: boolean; rolloutPercent: number }; subject: string; description: string }
>;

export type FlagName = keyof typeof flagDefinitions;

export const flagNames = Object.keys(flagDefinitions) as FlagName[];

export function isFlagName(name: string): name is FlagName {
  return Object.hasOwn(flagDefinitions, name);
}
