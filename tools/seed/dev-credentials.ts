/**
 * `<data dir>/dev-credentials.json`: the owner key and the admin token of a demo installation. What already works is kept, so
 * that a key noted down yesterday still works today. Nothing in it is ever printed.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { createApiKeys, type ApiKeys } from '@omnizap/catalog';
import { connectDatabase, type Config } from '@omnizap/runtime';
import { z } from 'zod';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

const demoOwnerId = 'demo';
const adminTokenBytes = 32;

const credentialsSchema = z.object({ owner_id: z.string(), owner_key: z.string(), admin_token: z.string() });

export type DevCredentials = z.output<typeof credentialsSchema>;

function credentialsFile(dataDir: string): string {
  return path.join(dataDir, 'dev-credentials.json');
}

/** What the file holds, or null without one. */
export async function readDevCredentials(dataDir: string): Promise<DevCredentials | null> {
  return await readPrivateFile(credentialsFile(dataDir), credentialsSchema);
}

/**
 * Makes sure that the file holds an owner key which this catalogue accepts (scope `catalog:write`) and an admin token: that of
 * the environment, else the file's, else a new random one.
 */
export async function ensureDevCredentials(config: Config): Promise<DevCredentials> {
  const before = await readDevCredentials(config.STICKER_DATA_DIR);
  const database = connectDatabase(config.DATABASE_URL, { poolMax: 1, applicationName: 'omnizap seed' });
  try {
    const credentials: DevCredentials = {
      owner_id: demoOwnerId,
      owner_key: await ensureOwnerKey(createApiKeys({ database }), before?.owner_key),
      admin_token: config.ADMIN_TOKEN ?? before?.admin_token ?? randomBytes(adminTokenBytes).toString('base64url'),
    };
    // Written even when nothing changed: this also restores the mode of a file that was copied about.
    await writePrivateFile(credentialsFile(config.STICKER_DATA_DIR), credentials);
    return credentials;
  } finally {
    await database.close();
  }
}

async function ensureOwnerKey(apiKeys: ApiKeys, known: string | undefined): Promise<string> {
  const holder = known === undefined ? null : await apiKeys.authenticate(known);
  if (known !== undefined && holder?.ownerId === demoOwnerId && holder.scopes.includes('catalog:write')) return known;
  const { key } = await apiKeys.create({ ownerId: demoOwnerId, scopes: ['catalog:write'] }, { actor: 'seed' });
  return key;
}
