import { describe, expect, it } from '@jest/globals';
import { spawnProcess } from './spawn-process.ts';

const entry = 'libs/testkit/test/echo-process.ts';

describe('spawnProcess', () => {
  it('waits for the ready message and hands on arguments and environment, but not the developer’s own', async () => {
    process.env.DATABASE_URL = 'postgres://developer';

    const spawned = await spawnProcess(entry, ['a b', 'c'], { OMNIZAP_ECHO: 'hello' });

    expect(spawned.url).toBe('http://127.0.0.1:1');
    expect(await spawned.stop()).toEqual({ code: 0, signal: null });
    expect(spawned.output()).toContain('arguments a b c, echo hello, database none');
    delete process.env.DATABASE_URL;
  });

  it('reports an early end together with what the process printed', async () => {
    await expect(spawnProcess(entry, [], { OMNIZAP_ECHO: 'fail' })).rejects.toThrow(
      /ended with code 3 before it was ready[^]*echo fail/,
    );
  });

  it('tells how a killed process ended', async () => {
    const spawned = await spawnProcess(entry);

    spawned.kill('SIGKILL');

    expect(await spawned.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });
});
