/** The tool's help. */
import { backlogFloor, httpFloor } from '../../observability/slo.ts';
import { shortestComparisonSeconds } from './bootstrap.ts';
import { defaults, limits, regressionRatio } from './load-options.ts';

const range = ([least, most]: readonly [number, number]): string => `${least} to ${most}`;

export const loadTestHelp = `usage: npm run loadtest:stickers -- [options]

Asks a running API for what visitors ask for, measures how long they would wait, and says whether that is within the objectives.
Without --paths it looks around in the catalogue first: lists in every order, filtered and paged, packs, stickers (some of which
the visitor has already), searches, figures, pages, and opens and likes.

Where
  --base-url URL          default: a running "npm start" of this folder, else http://127.0.0.1:9102
  --i-own-this-host       also when that is another machine; only reads then, unless --mix mixed
How much
  --rate R                open model: R requests per second, whatever the answers; a latency counts from the moment at which its
                          request was due (${range(limits.rate)})
  --arrivals random|even  when: like many visitors, or in equal steps (default random)
  --concurrency C         closed model: C clients, each asks again when it was answered (default ${defaults.concurrency}). Its latencies hide
                          queueing: a server that stands still is not asked meanwhile. Use --rate to know what visitors see
  --duration-seconds N    default ${defaults.durationSeconds} (${range(limits.duration)})
  --warmup-seconds N      before that, not counted; default ${defaults.warmupSeconds} (${range(limits.warmup)})
  --timeout-ms N          given up after that, an error; default ${defaults.timeoutMs} (${range(limits.timeout)})
What
  --mix reads|mixed       without or with opens and likes, which stay counted in the catalogue (default mixed)
                          To compare two runs take reads: of one address few votes count per window
  --paths A,B             these paths in equal shares instead (GET)
  --seed N                decides moments and requests (default 1)
Judgement
  --slo-ms N              p95 at most; default HTTP_SLO_TARGET_MS or ${httpFloor.p95Ms}. Also: p99 at most ${httpFloor.p99Ms}, errors at most ${httpFloor.errorRatio * 100} %
  --recovery-seconds N    how long the queues may take to be back to normal; default ${backlogFloor.recoverySeconds}, 0 = not waited for
  --compare FILE          against an earlier report of the same load, of ${shortestComparisonSeconds} s or more: worse by more than ${regressionRatio * 100} % fails
  --find-knee             the highest rate with a p99 of at most --knee-p99-ms (default ${defaults.kneeP99Ms}), from --rate or 50 on, in steps of
                          --knee-step-seconds (default 10)
The generator itself
  --workers N             threads; default 1, or 2 on four cores and more
  --connections N         of the open model, at most; default ${defaults.connections}
Output
  --out FILE              the report as JSON, and FILE with .html for people
  --help                  this

METRICS_TOKEN in the environment is sent to the target's processes when they ask for it.

Exit code: 0 all gates passed, 1 one did not or the figures are not reliable (the generator could not keep up, or rate limits), 2 it could not
run, was called wrongly, or the baseline is of another load; 130 after Ctrl-C, with what was measured until then.
`;
