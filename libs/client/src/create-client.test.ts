import { describe, expect, it } from '@jest/globals';
import { createClient } from './create-client.ts';
import { ProblemError } from './problem-error.ts';

/** A `fetch` that keeps what it was asked and answers what it is told. */
function recorded(response: Response): { asked: Request[]; fetch: typeof fetch } {
  const asked: Request[] = [];
  return {
    asked,
    fetch: async (input, init) => {
      asked.push(new Request(input, init));
      return await Promise.resolve(response);
    },
  };
}

const options = { baseUrl: 'http://api.example', key: 'oz_key' };
const json = (body: unknown, init?: ResponseInit): Response => Response.json(body, init);

describe('createClient', () => {
  it('puts each part of the input into its place, and leaves out what is undefined', async () => {
    const { asked, fetch } = recorded(json({ data: [], pagination: {} }));

    await createClient({ ...options, fetch }).listPacks({
      query: { limit: 3, cursor: undefined as never },
      headers: { 'If-None-Match': '"a"' },
    });

    expect([asked[0]?.method, asked[0]?.url]).toEqual(['GET', 'http://api.example/api/sticker-packs?limit=3']);
    expect(asked[0]?.headers.get('authorization')).toBe('Bearer oz_key');
    expect(asked[0]?.headers.get('if-none-match')).toBe('"a"');
  });

  it('encodes what stands in a path, and sends bodies as JSON', async () => {
    const { asked, fetch } = recorded(json({ data: {} }));

    await createClient({ ...options, fetch }).pauseTaskType({
      params: { taskType: 'a/b' as never },
      body: { reason: 'é' },
    });

    expect(asked[0]?.url).toBe('http://api.example/api/admin/queues/a%2Fb/pause');
    expect(asked[0]?.headers.get('content-type')).toBe('application/json');
    expect(await asked[0]?.json()).toEqual({ reason: 'é' });
  });

  it('sends forms with their files', async () => {
    const { asked, fetch } = recorded(json({ data: {} }, { status: 202 }));

    await createClient({ ...options, fetch }).addSticker({
      params: { packKey: 'p' },
      form: { file: new Blob(['x'], { type: 'image/png' }), emojis: '["😀"]' },
    });

    const form = await asked[0]?.formData();
    expect(form?.get('emojis')).toBe('["😀"]');
    expect([(form?.get('file') as File).type, await (form?.get('file') as File).text()]).toEqual(['image/png', 'x']);
  });

  it('returns null for an answer without a body, and bytes for what is no JSON', async () => {
    const gone = createClient({ ...options, ...recorded(new Response(null, { status: 204 })) });
    expect(await gone.deletePack({ params: { packKey: 'p' } })).toMatchObject({ status: 204, body: null });

    const picture = new Response('RIFF', { headers: { 'content-type': 'image/webp' } });
    const params = { packKey: 'p', stickerId: 's' };
    const { body } = await createClient({ ...options, ...recorded(picture) }).getStickerBytes({ params });
    expect(await (body as Blob).text()).toBe('RIFF');
  });

  it('throws what the API refuses with its problem, and what stands between with its status', async () => {
    const problem = {
      type: '/docs/errors#pack-full',
      title: 'Full',
      status: 409,
      detail: 'It is full.',
      code: 'pack-full',
      request_id: 'r',
    };
    const headers = { 'content-type': 'application/problem+json; charset=utf-8' };
    const refused = createClient({ ...options, ...recorded(json(problem, { status: 409, headers })) });
    await expect(refused.createPack({ body: { name: 'x' } })).rejects.toEqual(new ProblemError(problem, new Headers()));

    const proxy = createClient({ ...options, ...recorded(new Response('<h1>502</h1>', { status: 502 })) });
    await expect(proxy.getRollout()).rejects.toMatchObject({ name: 'ProblemError', status: 502, code: 'unknown' });
  });
});
