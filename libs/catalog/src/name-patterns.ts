/** How the things of the catalogue are named, wherever a person or a program names one. */

/** UUIDs as we write them: of stickers, bans, webhooks. */
export const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const packKeyPattern = /^[a-z0-9-]{1,64}$/;
export const ownerIdPattern = /^[A-Za-z0-9._@+-]{1,128}$/;
export const sha256Pattern = /^[0-9a-f]{64}$/;
