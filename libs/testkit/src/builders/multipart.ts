/** A multipart/form-data body (RFC 7578), written by hand so that tests can also write wrong ones. */
import { randomBytes } from 'node:crypto';

export type Part = { name: string; content: Buffer | string; filename?: string; contentType?: string };

/** The body of a form and the Content-Type that names its boundary. */
export function buildMultipart(parts: Part[]): { body: Buffer; contentType: string } {
  const boundary = `test-${randomBytes(12).toString('hex')}`;
  const pieces = parts.flatMap(({ name, content, filename, contentType }) => [
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n` +
        `${contentType === undefined ? '' : `Content-Type: ${contentType}\r\n`}\r\n`,
    ),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
  return {
    body: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]),
    contentType: `multipart/form-data; boundary=${boundary}`,
  };
}
