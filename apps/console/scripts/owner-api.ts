/** Requests to the API by the owner who signed in to this browser: the cookie goes by itself, the token shows that the page is ours. */
export type Finding = {
  rule: string;
  severity: 'error' | 'warning';
  message: string;
  remedy: string;
  fixed_automatically: boolean;
};

/** As much of an answer or a problem document as the pages look at. */
type Body = {
  data?: { pack_key?: string; status?: string; findings?: Finding[] };
  code?: string;
  detail?: string;
  errors?: { pointer: string; detail: string; rule?: string }[];
};
export type ApiAnswer = { status: number; isOk: boolean; body: Body };

export type OwnerApi = ReturnType<typeof createOwnerApi>;

export function createOwnerApi(csrfToken: string) {
  const headers = { Accept: 'application/json', 'X-CSRF-Token': csrfToken };

  return {
    /** @throws TypeError when there was no answer */
    async call(
      method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
      path: string,
      body?: object,
      extraHeaders: Record<string, string> = {},
    ): Promise<ApiAnswer> {
      const answer = await fetch(path, {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...extraHeaders },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return answerOf(answer.status, await answer.text());
    },

    /** `onSent` is told the share of the bytes, from 0 to 1. @throws TypeError when there was no answer */
    upload: (path: string, file: File, onSent: (share: number) => void): Promise<ApiAnswer> =>
      new Promise((resolve, reject) => {
        // Only this tells how much of a body was sent.
        const request = new XMLHttpRequest();
        request.open('POST', path);
        for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
        request.upload.addEventListener('progress', ({ loaded, total }) => onSent(total === 0 ? 0 : loaded / total));
        request.upload.addEventListener('load', () => onSent(1));
        request.addEventListener('load', () => resolve(answerOf(request.status, request.responseText)));
        request.addEventListener('error', () => reject(new TypeError('no answer')));
        const form = new FormData();
        form.append('file', file);
        request.send(form);
      }),
  };
}

function answerOf(status: number, text: string): ApiAnswer {
  let body: Body = {};
  try {
    body = JSON.parse(text) as Body;
  } catch {
    // Nothing, or a proxy's page.
  }
  return { status, isOk: status >= 200 && status < 300, body };
}
