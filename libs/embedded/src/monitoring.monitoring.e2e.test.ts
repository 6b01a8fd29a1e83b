import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isProcessAlive, startAlertmanager, startPrometheus, type MonitoringInstallation } from './index.ts';

const installation = JSON.parse(process.env.OMNIZAP_TEST_MONITORING ?? 'null') as MonitoringInstallation;
let folder: string;

beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'omnizap monitoring '))));
afterAll(async () => await rm(folder, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, text);
  return file;
}

describe('a private Prometheus', () => {
  it('answers queries on the loopback, and is gone after its stop', async () => {
    const configFile = await write('prometheus.yml', 'global:\n  scrape_interval: 1s\n');
    const server = await startPrometheus({ installation, configFile, dataDir: path.join(folder, 'prometheus') });

    const answer = await fetch(`${server.url}/api/v1/query?query=${encodeURIComponent('1 + 1')}`);
    expect(await answer.json()).toMatchObject({ status: 'success', data: { result: [expect.anything(), '2'] } });
    expect(new URL(server.url).hostname).toBe('127.0.0.1');

    await server.stop();
    expect(isProcessAlive(server.pid)).toBe(false);
  });

  it('says what is wrong with a configuration', async () => {
    const configFile = await write('broken.yml', 'global:\n  scrape_interval: often\n');
    const starting = startPrometheus({ installation, configFile, dataDir: path.join(folder, 'broken') });
    await expect(starting).rejects.toThrow(/Prometheus did not start: .*often/);
  });
});

describe('a private Alertmanager', () => {
  it('takes alerts on the loopback, and is gone after its stop', async () => {
    const configFile = await write('alertmanager.yml', 'route: { receiver: none }\nreceivers: [{ name: none }]\n');
    const server = await startAlertmanager({ installation, configFile, dataDir: path.join(folder, 'alertmanager') });

    const body = JSON.stringify([{ labels: { alertname: 'Example' } }]);
    const headers = { 'Content-Type': 'application/json' };
    const posted = await fetch(`${server.url}/api/v2/alerts`, { method: 'POST', headers, body });
    expect(posted.status).toBe(200);
    const alerts: unknown = await (await fetch(`${server.url}/api/v2/alerts`)).json();
    expect(alerts).toMatchObject([{ labels: { alertname: 'Example' } }]);

    await server.stop();
    expect(isProcessAlive(server.pid)).toBe(false);
  });
});
