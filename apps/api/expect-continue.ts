/**
 * A client that sends `Expect: 100-continue` waits for a word before it sends its body. It is given when somebody begins to read the
 * body, and not before: what is refused without it is refused before megabytes are sent.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** For the server's `checkContinue`. */
export function createContinueAnswer(app: RequestListener): RequestListener {
  return (request: IncomingMessage, response: ServerResponse) => {
    request.once('resume', () => {
      // After the answer a body is only read to be thrown away.
      if (!response.headersSent) response.writeContinue();
    });
    app(request, response);
  };
}
