/** The demo catalogue, as `npm run db:seed` makes it, in the fleet of a test. */
import { createCatalogueClient, spawnProcess, type Fleet, type PackSummaryJson } from '@omnizap/testkit';

/** Returns when it is ranked. */
export async function seedDemo(fleet: Fleet): Promise<PackSummaryJson[]> {
  const env = { ...fleet.env, STICKER_API_URL: fleet.apiUrl };
  const seed = await spawnProcess('tools/seed.ts', [], env, { waitForReady: false });
  const { code } = await seed.exited;
  if (code !== 0) throw new Error(`The seed ended with code ${String(code)}:\n${seed.output()}`);
  return (await createCatalogueClient(fleet.apiUrl).list('?limit=60')).data;
}
