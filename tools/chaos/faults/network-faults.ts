/** What happens between one process and its databases. */
import type { Direction, Proxy } from '../proxy.ts';
import type { Random } from '../random.ts';
import { pickSlot } from './fault.ts';
import type { Fault, FaultContext } from './fault.ts';

const latencyMs = 200;
const staleWriteMs = 8_000;

/** One process, and its way to one database or to both. */
function pickProxies(context: FaultContext, random: Random): { slot: string; databases: string[]; proxies: Proxy[] } {
  const slot = pickSlot(context, random);
  const databases = random.pick([['catalogue'], ['queue'], ['catalogue', 'queue']]);
  return {
    slot: slot.name,
    databases,
    proxies: databases.map((name) => (name === 'queue' ? slot.queue : slot.catalogue)),
  };
}

export const netCutFault: Fault = {
  name: 'net-cut',
  summary: 'one process loses its connections to a database and gets no new ones for 2 to 6 s',
  reach: 'network',
  async inject(context, random) {
    const { slot, databases, proxies } = pickProxies(context, random);
    const forMs = random.between(2_000, 6_000);
    context.note({ cut: slot, databases, for_ms: forMs });
    await during(context, proxies, forMs, (proxy) => proxy.cut());
  },
};

export const netResetFault: Fault = {
  name: 'net-reset',
  summary: 'the connections of one process break with a RST, several times within 3 s',
  reach: 'network',
  async inject(context, random) {
    const { slot, databases, proxies } = pickProxies(context, random);
    let broken = 0;
    for (let times = random.between(2, 6); times > 0; times -= 1) {
      for (const proxy of proxies) broken += proxy.reset();
      await context.wait(random.between(100, 600));
    }
    context.note({ reset: slot, databases, connections: broken });
  },
};

export const netBlackholeFault: Fault = {
  name: 'net-blackhole',
  summary:
    'silence between one process and a database, in both directions or one, for 3 to 9 s; then it goes on, or breaks',
  reach: 'network',
  async inject(context, random) {
    const { slot, databases, proxies } = pickProxies(context, random);
    const directions: Direction[] = random.pick([['up', 'down'], ['up'], ['down']]);
    const forMs = random.between(3_000, 9_000);
    const isReset = random.chance(0.5);
    context.note({ silent: slot, databases, directions, for_ms: forMs, then: isReset ? 'reset' : 'resume' });
    await during(context, proxies, forMs, (proxy) => proxy.silence(directions), isReset);
  },
};

export const netLatencyFault: Fault = {
  name: 'net-latency',
  summary: '200 ms each way between one process and its databases for 4 to 8 s',
  reach: 'network',
  async inject(context, random) {
    const { slot, databases, proxies } = pickProxies(context, random);
    const forMs = random.between(4_000, 8_000);
    context.note({ slow: slot, databases, latency_ms: latencyMs, for_ms: forMs });
    await during(context, proxies, forMs, (proxy) => proxy.delay(latencyMs));
  },
};

export const commitTimeoutFault: Fault = {
  name: 'commit-timeout',
  summary:
    'for 4 to 8 s a share of the commits of two processes take effect, but the client only sees its connection break',
  reach: 'network',
  inject: async (context, random) => await faultCommits(context, random, 'swallow', 0.25),
};

export const rollbackStormFault: Fault = {
  name: 'rollback-storm',
  summary: 'for 4 to 8 s a share of the commits of all processes never reach the server, which rolls back',
  reach: 'network',
  inject: async (context, random) => await faultCommits(context, random, 'refuse', 0.3),
};

export const staleWriteFault: Fault = {
  name: 'stale-write',
  summary: 'for 8 s each transaction of a worker waits 3 to 7 s after what it is based on was read',
  reach: 'network',
  async inject(context, random) {
    const slot = pickSlot(context, random, ['classification', 'rebuild', 'rebuild']);
    const stallMs = random.between(3_000, 7_000);
    await during(context, [slot.catalogue], staleWriteMs, (proxy) => proxy.stallTransactions(stallMs));
    context.note({ stalled: slot.name, each_for_ms: stallMs, transactions: slot.catalogue.hits() });
  },
};

async function faultCommits(
  context: FaultContext,
  random: Random,
  action: 'swallow' | 'refuse',
  share: number,
): Promise<void> {
  const { slots } = context.fleet;
  const hit = action === 'refuse' ? slots : [pickSlot(context, random), pickSlot(context, random)];
  const proxies = hit.flatMap(({ catalogue, queue }) => [catalogue, queue]);
  const forMs = random.between(4_000, 8_000);
  const silenceMs = random.pick([0, 0, 1_500]);
  const before = proxies.reduce((sum, proxy) => sum + proxy.hits(), 0);
  await during(context, proxies, forMs, (proxy) =>
    proxy.faultCommits({ action, isHit: () => random.chance(share), silenceMs }),
  );
  const hits = proxies.reduce((sum, proxy) => sum + proxy.hits(), 0) - before;
  context.note({ commits: action, processes: hit.map(({ name }) => name), hits, silence_ms: silenceMs, for_ms: forMs });
}

async function during(
  context: FaultContext,
  proxies: Proxy[],
  forMs: number,
  start: (proxy: Proxy) => void,
  isReset = false,
): Promise<void> {
  proxies.forEach(start);
  try {
    await context.wait(forMs);
  } finally {
    for (const proxy of proxies) proxy.heal(isReset);
  }
}
