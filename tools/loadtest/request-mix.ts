/** What the load asks for: groups of requests with weights, and the draw of the next one. The same seed draws the same requests. */

export type LoadRequest = { method: 'GET' | 'POST'; path: string; headers?: Record<string, string> };

export type RequestGroup = {
  /** Under which its figures are reported. */
  label: string;
  /** Against the sum of all weights. */
  weight: number;
  /** The likelier the further to the front when the group is skewed. */
  requests: LoadRequest[];
  /** Few are asked for often and many seldom, as visitors do. */
  isSkewed: boolean;
};

export type DrawnRequest = { group: number; request: LoadRequest };

/** @throws Error when there is nothing to ask for */
export function createRequestMix(groups: RequestGroup[], random: () => number): () => DrawnRequest {
  const usable = groups.flatMap((group, index) => (group.requests.length > 0 ? [{ ...group, index }] : []));
  const last = usable.at(-1);
  if (!last) throw new Error('There is nothing to ask for');
  const total = usable.reduce((sum, { weight }) => sum + weight, 0);
  return () => {
    let left = random() * total;
    const chosen = usable.find(({ weight }) => (left -= weight) < 0) ?? last;
    const place = random();
    const position = Math.floor((chosen.isSkewed ? place * place : place) * chosen.requests.length);
    const request = chosen.requests[position] ?? chosen.requests[0];
    if (!request) throw new Error(`${chosen.label} has no requests`);
    return { group: chosen.index, request };
  };
}

/** The user's own paths, in equal shares. */
export function groupsOfPaths(paths: string[]): RequestGroup[] {
  return paths.map((path) => ({ label: path, weight: 1, requests: [{ method: 'GET', path }], isSkewed: false }));
}
