/** Entity tags name exactly what is sent. */

const tagPattern = /(?:W\/)?"[^"]*"/g;

/** If-None-Match compares weakly (RFC 9110, 13.1.2). */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  const opaque = (tag: string): string => tag.replace(/^W\//, '');
  return (header.match(tagPattern) ?? []).some((candidate) => opaque(candidate) === opaque(etag));
}
