import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

describe("Docker Compose's Alertmanager", () => {
  const { services } = parse(read('docker-compose.yml')) as { services: { alertmanager: { volumes: string[] } } };
  const { volumes } = services.alertmanager;

  it('reads a configuration that people may name, and the delivered one otherwise', () => {
    expect(volumes).toContain(
      '${ALERTMANAGER_CONFIG:-./observability/alertmanager/alertmanager.yml}:/etc/alertmanager/alertmanager.yml:ro',
    );
  });

  it('has the secrets that the example of receivers asks for, from a folder that is not committed', () => {
    const files = read('observability/alertmanager/alertmanager.example.yml').matchAll(/_file: (\S+)/g);
    const folders = new Set(Array.from(files, ([, file = '']) => path.posix.dirname(file)));
    expect(folders.size).toBe(1);
    const [folder = ''] = folders;
    expect(volumes).toContain(`./observability/alertmanager/secrets:${folder}:ro`);
    expect(read('.gitignore').split('\n')).toContain('/observability/alertmanager/secrets/');
  });
});
