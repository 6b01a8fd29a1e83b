/** The processes of a full fleet, by the names in their leases, logs and metrics. */
export const processNames = [
  'api',
  'relay',
  'worker-classification',
  'worker-curation',
  'worker-rebuild',
  'maintenance',
] as const;
