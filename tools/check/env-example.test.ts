import { describe, expect, it } from '@jest/globals';

import { findSettingsProblems } from './env-example.ts';

const contract = [
  '## 1. Other\n`OUTSIDE_NAME`',
  '## 2. Ports\n| api | 9102 | `PORT` |',
  '## 3. Environment\n`A_{B,C}_MS` (1), `S3_{BUCKET,MODE(redirect|proxy)}`, `SOON_TOKEN` *(later)*, standard `OTEL_*`',
  'Delivery *(later)*: `MAX_SOCKETS` (500)',
  '## 4. HTTP\n`X_Y`\n',
].join('\n');
const complete = '# Text\n#PORT=9102\nA_B_MS=1\n#A_C_MS=\n#S3_BUCKET=\n#S3_MODE=proxy\n#OTEL_EXPORTER_OTLP_ENDPOINT=\n';

describe('findSettingsProblems', () => {
  it('finds nothing when both name the same settings', () => {
    expect(findSettingsProblems(complete, contract)).toEqual([]);
  });

  it('names a setting that only the example has', () => {
    expect(findSettingsProblems(`${complete}#A_D_MS=\n`, contract)).toEqual([
      expect.stringMatching(/example: A_D_MS is not/),
    ]);
  });

  it('names a setting that only the contract has', () => {
    expect(findSettingsProblems(complete.replace('#A_C_MS=\n', ''), contract)).toEqual([
      expect.stringMatching(/contract\.md: A_C_MS is not/),
    ]);
  });
});
