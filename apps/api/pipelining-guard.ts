/** A client may send many requests on one connection without reading the answers: each would hold its file and its memory. */
import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';

/** HTTP/1.1 clients that pipeline at all send a handful. */
const maxPendingPerSocket = 8;

export function createPipeliningGuard(): RequestHandler {
  const pending = new WeakMap<Socket, number>();
  return (request, response, next) => {
    const { socket } = request;
    const count = (pending.get(socket) ?? 0) + 1;
    pending.set(socket, count);
    response.once('close', () => pending.set(socket, (pending.get(socket) ?? 1) - 1));
    if (count > maxPendingPerSocket) socket.destroy();
    else next();
  };
}
