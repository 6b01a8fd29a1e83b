/** The groups that HTTP metrics are kept by; every operation names its own. */
export const routeGroups = [
  'catalog_api_public',
  'catalog_api_auth',
  'catalog_api_admin',
  'catalog_api_upload',
  'catalog_web',
  'catalog_data_asset',
  'catalog_user_profile',
  'marketplace_stats',
  'metrics',
  'other',
] as const;
export type RouteGroup = (typeof routeGroups)[number];

/** Groups that the HTTP objective covers. */
export const sloGroups: ReadonlySet<RouteGroup> = new Set<RouteGroup>([
  'catalog_api_public',
  'catalog_api_auth',
  'catalog_api_admin',
  'catalog_api_upload',
  'catalog_web',
  'catalog_data_asset',
  'marketplace_stats',
]);
