/** Requests in bulk over few kept connections, with whatever a stranger may put into them. */
import { Agent, request } from 'node:http';
import { connect } from 'node:net';

export type OddRequest = { path: string; method?: string; headers?: Record<string, string> };

const connections = 16;

/** Sends all of them, and returns how many were answered with each status. */
export async function sendAll(url: string, requests: Iterable<OddRequest>): Promise<Map<number, number>> {
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const statuses = new Map<number, number>();
  const rest = requests[Symbol.iterator]();
  const sendOne = ({ path, method = 'GET', headers = {} }: OddRequest): Promise<number> =>
    new Promise((resolve, reject) => {
      const asked = request({ hostname, port, agent, path, method, headers }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode ?? 0));
      });
      asked.once('error', reject).end();
    });
  const sendSome = async (): Promise<void> => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) {
      const status = await sendOne(next.value);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: connections }, sendSome));
  agent.destroy();
  return statuses;
}

/** Sends bytes that no client library would, and returns everything that comes back until the connection is closed. */
export async function sendRaw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(text, 'latin1'));
    let answer = '';
    socket.setEncoding('latin1').on('data', (part: string) => (answer += part));
    socket.once('end', () => resolve(answer)).once('error', reject);
  });
}
