/** What the environment of this shell says, as far as it can be judged without asking anybody. */
import type { ConfigView } from '@omnizap/runtime';
import { fail, info, ok, warn, type Finding } from './finding.ts';
import type { Mending } from './mending.ts';

export type ConfigurationFacts = {
  view: ConfigView;
  isPlansDirThere: boolean;
  /** Lines of what is wrong with the plans; none when they can be read. */
  planProblems: string[];
};

const fewestDifferentCharacters = 8;
const guessable = /change.?me|password|secret|example|development|admin|token|12345|qwerty/i;
const freshToken = `$(node -p "require('crypto').randomBytes(24).toString('base64url')")`;

export function judgeConfiguration(facts: ConfigurationFacts, mending: Mending): Finding[] {
  const { view, isPlansDirThere, planProblems } = facts;
  const findings = [
    ...view.problems.map(({ variable, text }) => fail(endOf(text), mendingOf(variable, view))),
    ...judgeTokens(view, mending),
    ...(isPlansDirThere
      ? []
      : [
          warn(
            `ROLLOUT_PLANS_DIR (${view.settings.ROLLOUT_PLANS_DIR ?? ''}) is no folder, so no rollout can be started.`,
            'unset ROLLOUT_PLANS_DIR',
          ),
        ]),
    ...planProblems.map((line) =>
      warn(
        `A rollout plan cannot be read, so none can be started: ${line.trim()}`,
        view.settings.ROLLOUT_PLANS_DIR === undefined
          ? 'git checkout -- deploy/rollout'
          : 'npm run ops -- rollout plan',
      ),
    ),
  ];
  const source = view.isLentByFleet ? 'a running "npm start"' : 'the environment';
  return findings.some(({ severity }) => severity !== 'info')
    ? findings
    : [...findings, ok(`The settings of this shell are valid; the databases come from ${source}.`)];
}

function mendingOf(variable: string, { databaseUrl }: ConfigView): string {
  if (variable === 'DATABASE_URL')
    return databaseUrl === null ? 'export DATABASE_URL=postgres://NAME:PASSWORD@HOST:5432/DATABASE' : 'npm start';
  if (variable === 'QUEUE_DATABASE_URL') return 'export QUEUE_DATABASE_URL=postgres://NAME:PASSWORD@HOST:5432/DATABASE';
  return `unset ${variable}`;
}

/** Only what this shell knows: the processes may have got others. */
function judgeTokens({ problems, settings, isLentByFleet }: ConfigView, mending: Mending): Finding[] {
  const { ADMIN_TOKEN, METRICS_TOKEN, BIND_ADDRESS, TRUST_PROXY_HOPS } = settings;
  const findings: Finding[] = [];
  for (const [name, token] of Object.entries({ ADMIN_TOKEN, METRICS_TOKEN }))
    if (token !== undefined && isWeak(token))
      findings.push(warn(`${name} can be guessed.`, mending.set(name, freshToken)));
  if (ADMIN_TOKEN !== undefined && ADMIN_TOKEN === METRICS_TOKEN)
    findings.push(
      warn(
        'ADMIN_TOKEN and METRICS_TOKEN are the same: whoever may scrape may administrate.',
        mending.set('METRICS_TOKEN', freshToken),
      ),
    );
  const isWrong = (name: string): boolean => problems.some(({ variable }) => variable === name);
  if (ADMIN_TOKEN === undefined && !isWrong('ADMIN_TOKEN') && !isLentByFleet)
    findings.push(info('ADMIN_TOKEN is not set here: over HTTP only API keys with scope admin can administrate.'));
  const isOpen = !isLoopback(BIND_ADDRESS) || TRUST_PROXY_HOPS > 0;
  if (METRICS_TOKEN === undefined && !isWrong('METRICS_TOKEN') && isOpen)
    findings.push(
      warn(
        'METRICS_TOKEN is not set although others can reach the processes: behind a proxy on this host their metrics are open to everybody.',
        mending.set('METRICS_TOKEN', freshToken),
      ),
    );
  return findings;
}

function isWeak(token: string): boolean {
  return new Set(token).size < fewestDifferentCharacters || guessable.test(token);
}

function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || address.startsWith('127.');
}

function endOf(text: string): string {
  return /[.!?)]$/.test(text) ? text : `${text}.`;
}
