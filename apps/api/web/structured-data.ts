/** schema.org data for search engines, as JSON-LD: a data block, which no browser executes and no content policy forbids. */

export type StructuredData = { text: string };

/** `<` would end the element that holds it, and U+2028 a line of older parsers: both are written as escapes, which JSON allows. */
export function structuredData(type: string, fields: Record<string, unknown>): StructuredData {
  const text = JSON.stringify({ '@context': 'https://schema.org', '@type': type, ...fields });
  return {
    text: text.replaceAll(/[<>&\u2028\u2029]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`),
  };
}
