/** What a moderation command is about, as lists print it: `pack:<key>`, `sticker:<id>`, `owner:<id>`, `sha256:<hex>`. */
import { idPattern, ownerIdPattern, packKeyPattern, sha256Pattern } from '@omnizap/catalog';
import { UsageError } from './command.ts';

export type Target = { type: 'pack'; key: string } | { type: 'sticker'; id: string };
export type BanSubject =
  { kind: 'owner'; ownerId: string } | { kind: 'sticker'; stickerId: string } | { kind: 'sticker'; sha256: string };

const patterns = {
  pack: packKeyPattern,
  sticker: idPattern,
  owner: ownerIdPattern,
  sha256: sha256Pattern,
};
type Name = keyof typeof patterns;

export const nameOfTarget = (target: Target): string =>
  target.type === 'pack' ? `pack:${target.key}` : `sticker:${target.id}`;

/** The part behind the name; null when the text is of another name or cannot be one. */
function valueOf(name: Name, text: string): string | null {
  const value = text.startsWith(`${name}:`) ? text.slice(name.length + 1) : null;
  return value !== null && patterns[name].test(value) ? value : null;
}

/** A pack's key needs no name in front. @throws UsageError */
export function parseTarget(text: string): Target {
  const key = valueOf('pack', text.includes(':') ? text : `pack:${text}`);
  if (key !== null) return { type: 'pack', key };
  const id = valueOf('sticker', text);
  if (id !== null) return { type: 'sticker', id };
  throw new UsageError(`"${text}" is neither a pack nor a sticker: say pack:<key> or sticker:<id>.`);
}

/** @throws UsageError */
export function parseBanSubject(text: string): BanSubject {
  const ownerId = valueOf('owner', text);
  if (ownerId !== null) return { kind: 'owner', ownerId };
  const stickerId = valueOf('sticker', text);
  if (stickerId !== null) return { kind: 'sticker', stickerId };
  const sha256 = valueOf('sha256', text);
  if (sha256 !== null) return { kind: 'sticker', sha256 };
  throw new UsageError(`"${text}" cannot be banned: say owner:<id>, sticker:<id> or sha256:<64 hexadecimal digits>.`);
}

/** A ban by its own id, or what it is about. @throws UsageError */
export function parseBan(text: string): { banId: string } | { ownerId: string } | { sha256: string } {
  const ownerId = valueOf('owner', text);
  if (ownerId !== null) return { ownerId };
  const sha256 = valueOf('sha256', text);
  if (sha256 !== null) return { sha256 };
  if (idPattern.test(text)) return { banId: text };
  throw new UsageError(`"${text}" is no ban: give its id as "moderation bans" shows it, owner:<id> or sha256:<hex>.`);
}
