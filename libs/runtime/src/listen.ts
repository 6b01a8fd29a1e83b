/** Ports: taken ones are refused with the variable that moves them; one port may be shared on purpose. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError } from './errors.ts';

/** From 9103 on this ends below the relay's default port. */
const triedPorts = 7;

type Place = { port: number; host: string; portVariable: string };

/**
 * Starts to listen and returns the port. `isShared`: with SO_REUSEPORT, so that others who ask for it may listen there too.
 * @throws AppError `configuration-invalid` naming the variable when the port cannot be had
 */
export async function listen(server: Server, place: Place & { isShared?: boolean }): Promise<number> {
  try {
    return await bind(server, place);
  } catch (error) {
    throw refusal(error, place);
  }
}

/**
 * Listens on the first free port from `port` on, of seven; 0 is any free one. For several processes with the same settings.
 * @throws AppError `configuration-invalid`
 */
export async function listenOnFirstFree(server: Server, place: Place): Promise<number> {
  for (let port = place.port; ; port += 1) {
    try {
      return await bind(server, { ...place, port });
    } catch (error) {
      const isLast = port === place.port + triedPorts - 1;
      if (isLast || codeOf(error) !== 'EADDRINUSE') throw refusal(error, { ...place, port });
    }
  }
}

async function bind(server: Server, options: Place & { isShared?: boolean }): Promise<number> {
  const { port, host, isShared = false } = options;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, reusePort: isShared }, resolve);
  });
  return (server.address() as AddressInfo).port;
}

function refusal(error: unknown, { port, host, portVariable }: Place): AppError {
  const code = codeOf(error);
  const reason = code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${code})`;
  return new AppError(
    'configuration-invalid',
    `Port ${port} on ${host} ${reason}: set ${portVariable} to another one.`,
  );
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
