/**
 * The gates of `npm run check`, the slow ones first. With `fix` a gate first rewrites what a machine can rewrite, and then
 * reports what is left for a person.
 */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { parse } from 'yaml';

import { clientFilePath, findClientFileProblems, renderClientFile } from './client-file.ts';
import type { OpenApiDocument } from './client-file.ts';
import { findComposeProblems } from './compose-problems.ts';
import { findSettingsProblems } from './env-example.ts';
import { errorsPagePath, findErrorsPageProblems, renderErrorsPage } from './errors-page.ts';
import { findDeadLinks } from './markdown-links.ts';
import { findTextProblems, listProjectFiles, readTextFiles } from './project-text.ts';
import type { Gate, GateOutcome } from './run-gates.ts';
import { runPackageFile, runProgram } from './run-program.ts';

/** In the order in which they start. */
export const gateNames = ['lint', 'types', 'dependencies', 'unused', 'format', 'docs', 'text', 'compose'] as const;

type GateName = (typeof gateNames)[number];

type Context = { root: string; fix: boolean };

/** Folders with code of ours. git holds no empty ones, and dependency-cruiser stops at one that is missing. */
const codeFolders = ['apps', 'libs', 'db', 'tools', 'deploy', 'observability', 'runbooks'];

/** True when `name` is the name of a gate. */
export function isGateName(name: string): name is GateName {
  return (gateNames as readonly string[]).includes(name);
}

/** All gates of the checkout at `root`, in the order in which they should start. */
export function createGates(context: Context): Gate[] {
  const { root, fix } = context;
  const packageGate = (file: string, args: string[]) => async (signal: AbortSignal) => {
    const { exitCode, output } = await runPackageFile(root, file, args, signal);
    return { findings: exitCode === 0 ? [] : [output || `${file} failed without a word`] };
  };
  const runs: Record<GateName, Gate['run']> = {
    lint: packageGate('eslint/bin/eslint.js', ['--max-warnings=0', ...(fix ? ['--fix'] : []), '.']),
    types: (signal) => checkTypes(root, signal),
    dependencies: packageGate('dependency-cruiser/bin/dependency-cruiser.mjs', [
      ...['--config', '.dependency-cruiser.cjs'],
      ...codeFolders.filter((folder) => existsSync(path.join(root, folder))),
    ]),
    // The hints are about rooms that are planned and still empty.
    unused: packageGate('knip/bin/knip.js', ['--no-progress', '--no-config-hints']),
    format: packageGate('prettier/bin/prettier.cjs', ['--log-level=warn', fix ? '--write' : '--check', '.']),
    docs: (signal) => checkDocs(context, signal),
    text: (signal) => checkText(root, signal),
    compose: (signal) => checkCompose(root, signal),
  };
  return gateNames.map((name) => ({ name, run: runs[name] }));
}

/** What runs in browsers has a project of its own: its globals are others. */
async function checkTypes(root: string, signal: AbortSignal): Promise<GateOutcome> {
  const findings: string[] = [];
  for (const project of ['tsconfig.json', 'apps/console/tsconfig.json']) {
    const args = ['--noEmit', '--pretty', 'false', '--project', project];
    const { exitCode, output } = await runPackageFile(root, 'typescript/bin/tsc', args, signal);
    if (exitCode !== 0) findings.push(output || `tsc --project ${project} failed without a word`);
  }
  return { findings };
}

async function checkDocs({ root, fix }: Context, signal: AbortSignal): Promise<GateOutcome> {
  // Imported here: a lib that does not load is this gate's finding, not the end of all gates.
  const { errorRegistry } = await import('@omnizap/runtime');
  const errorsPage = path.join(root, errorsPagePath);
  if (fix) await writeFile(errorsPage, renderErrorsPage(errorRegistry));
  const isWritten = existsSync(errorsPage);

  const files = await listProjectFiles(root, signal);
  const present = new Set(files.filter((file) => existsSync(path.join(root, file))));
  const pages = await readTextFiles(
    root,
    [...present].filter((file) => file.endsWith('.md')),
  );
  return {
    findings: [
      ...(isWritten ? findErrorsPageProblems(await readFile(errorsPage, 'utf8'), errorRegistry) : []),
      ...findSettingsProblems(
        await readFile(path.join(root, 'deploy/env.example'), 'utf8'),
        await readFile(path.join(root, 'runbooks/contract.md'), 'utf8'),
      ),
      ...pages.flatMap((page) => findDeadLinks(page, present)),
      ...(await checkClientFile({ root, fix }, signal)),
    ],
    ...(isWritten ? {} : { remark: `${errorsPagePath} does not exist yet: --fix writes it` }),
  };
}

/** The document comes from a process of its own: an app is started, not imported. */
async function checkClientFile({ root, fix }: Context, signal: AbortSignal): Promise<string[]> {
  const { exitCode, output } = await runProgram(root, process.execPath, ['apps/api/print-openapi.ts'], signal);
  if (exitCode !== 0) return [output || 'apps/api/print-openapi.ts failed without a word'];
  const document = JSON.parse(output) as OpenApiDocument;
  const file = path.join(root, clientFilePath);
  if (fix) await writeFile(file, renderClientFile(document));
  return findClientFileProblems(existsSync(file) ? await readFile(file, 'utf8') : null, document);
}

async function checkText(root: string, signal: AbortSignal): Promise<GateOutcome> {
  const files = await readTextFiles(root, await listProjectFiles(root, signal));
  return { findings: files.flatMap(findTextProblems) };
}

async function checkCompose(root: string, signal: AbortSignal): Promise<GateOutcome> {
  const file = 'docker-compose.yml';
  const document: unknown = parse(await readFile(path.join(root, file), 'utf8'));
  const problems = findComposeProblems(document).map((problem) => `${file}: ${problem}`);
  if (problems.length > 0) return { findings: problems };

  // Imported here, like what the gate of the pages needs: a lib that does not load is a finding.
  const { locateCompose } = await import('@omnizap/embedded');
  const reasons: string[] = [];
  const cacheDir = path.join(root, '.cache/compose');
  const compose = await locateCompose({ cacheDir, log: (line) => reasons.push(line) });
  if (compose === null)
    return { findings: [], remark: `only our own rules were looked at, without Docker Compose: ${reasons.at(-1)}` };
  const [program = '', ...before] = compose.command;
  const args = [...before, '-f', file, '--profile', 'observability', 'config', '-q'];
  const { exitCode, output } = await runProgram(root, program, args, signal);
  return exitCode === 0
    ? { findings: [], remark: `with Docker Compose ${compose.version}` }
    : { findings: [output || `${compose.command.join(' ')} failed without a word`] };
}
