/**
 * Reads deploy/rollout: gates.yaml and one file per plan. Every problem of every file is listed together, each with its line, its
 * path within the file, and what would be valid. Nothing is guessed: a plan that cannot be understood wholly is not there at all.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { AppError } from '@omnizap/runtime';
import { gateProblems, toGate } from './gate-entry.ts';
import type { Gate, Part, Plan } from './plan.ts';
import { flagPlanFile, gateFile, walkPlanFile, type FlagPlanFile, type GateEntry } from './plan-schema.ts';

const plansDirectory = resolve(import.meta.dirname, '../../../deploy/rollout');
const shownDirectory = 'deploy/rollout';
const gatesFile = 'gates.yaml';

type Path = readonly PropertyKey[];
type Head = { plan: string; description: string; passes: number; give_up_after: number };

/** Names of files and their texts. */
export type PlanTexts = Record<string, string>;

/** The plans in `directory`, by default those of this release. @throws AppError `configuration-invalid` listing every problem */
export function loadPlans(directory?: string): Map<string, Plan> {
  const folder = directory ?? plansDirectory;
  let texts: PlanTexts;
  try {
    const names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
    texts = Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError('configuration-invalid', `The rollout plans cannot be read: ${why}`, { cause: error });
  }
  return parsePlans(texts, directory);
}

/** @throws AppError `configuration-invalid` listing every problem */
export function parsePlans(texts: PlanTexts, shown = shownDirectory): Map<string, Plan> {
  const problems: string[] = [];
  const gates = readGates(texts[gatesFile], shown, problems);
  const parts = new Map<string, { head: Head; part: Part }>();
  const walks = new Map<string, { head: Head; names: string[]; file: SourceFile }>();

  for (const [fileName, text] of Object.entries(texts)) {
    if (fileName === gatesFile) continue;
    const file = openFile(fileName, text, shown, problems);
    if (!file) continue;
    const isWalk = typeof file.value === 'object' && file.value !== null && 'walks' in file.value;
    if (isWalk) {
      const read = check(walkPlanFile, file, problems);
      if (read && isNamedLikeItsFile(read.plan, file, problems))
        walks.set(read.plan, { head: read, names: read.walks, file });
    } else {
      const read = check(flagPlanFile, file, problems);
      if (!read || !isNamedLikeItsFile(read.plan, file, problems)) continue;
      parts.set(read.plan, { head: read, part: partOf(read, gates, file, problems) });
    }
  }

  const plans = new Map<string, Plan>();
  for (const [name, { head, part }] of parts) plans.set(name, planOf(head, [part]));
  for (const [name, { head, names, file }] of walks) {
    const walked = names.flatMap((one, index) => {
      const found = parts.get(one);
      if (!found)
        problems.push(
          file.problem(['walks', index], `there is no plan "${one}"; there are: ${[...parts.keys()].join(', ')}`),
        );
      return found ? [found.part] : [];
    });
    plans.set(name, planOf(head, walked));
  }
  if (problems.length > 0)
    throw new AppError(
      'configuration-invalid',
      `Invalid rollout plans:\n${problems.map((line) => `  ${line}`).join('\n')}`,
    );
  return plans;
}

function planOf(head: Head, parts: Part[]): Plan {
  const { plan: name, description, passes, give_up_after: giveUpAfterMs } = head;
  return { name, description, passes, giveUpAfterMs, parts };
}

function readGates(text: string | undefined, shown: string, problems: string[]): Map<string, GateEntry> {
  if (text === undefined) {
    problems.push(`${shown}/${gatesFile}: is missing`);
    return new Map();
  }
  const file = openFile(gatesFile, text, shown, problems);
  const read = file && check(gateFile, file, problems);
  if (!file || !read) return new Map();
  for (const [name, entry] of Object.entries(read.gates))
    for (const { path, message } of gateProblems(entry)) problems.push(file.problem(['gates', name, ...path], message));
  return new Map(Object.entries(read.gates));
}

function partOf(read: FlagPlanFile, gates: Map<string, GateEntry>, file: SourceFile, problems: string[]): Part {
  const seen = new Set<string>();
  const own = read.gates.flatMap((use, index): Gate[] => {
    const change = typeof use === 'string' ? { gate: use } : use;
    const entry = gates.get(change.gate);
    const path = ['gates', index];
    if (!entry)
      problems.push(
        file.problem(path, `there is no gate "${change.gate}"; there are: ${[...gates.keys()].join(', ')}`),
      );
    else if (seen.has(change.gate)) problems.push(file.problem(path, `the gate "${change.gate}" is there twice`));
    seen.add(change.gate);
    return entry ? [toGate(change.gate, entry, change)] : [];
  });
  read.stages.forEach(({ percent }, index) => {
    const before = read.stages[index - 1]?.percent ?? 0;
    if (percent <= before)
      problems.push(
        file.problem(['stages', index, 'percent'], `must be more than the ${before} before it, not ${percent}`),
      );
  });
  const stages = read.stages.map(({ percent, bake }) => ({ percent, bakeMs: bake }));
  return { name: read.plan, flag: read.flag, requires: read.requires, gates: own, stages };
}

function isNamedLikeItsFile(name: string, file: SourceFile, problems: string[]): boolean {
  if (file.name.replace(/\.ya?ml$/, '') === name) return true;
  problems.push(file.problem(['plan'], `must be the file's name, not "${name}"`));
  return false;
}

type SourceFile = { name: string; value: unknown; problem: (path: Path, message: string) => string };

function openFile(name: string, text: string, shown: string, problems: string[]): SourceFile | null {
  const lines = new LineCounter();
  const document: Document = parseDocument(text, { lineCounter: lines });
  const where = `${shown}/${name}`;
  for (const error of document.errors)
    problems.push(`${where}:${error.linePos?.[0].line ?? 1}: ${error.message.split('\n', 1)[0] ?? 'is no YAML'}`);
  if (document.errors.length > 0) return null;
  return {
    name,
    value: document.toJS(),
    problem(path, message) {
      const line = lineOf(document, lines, path);
      const place = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
      return `${where}:${line}: ${place === '' ? '' : `${place.replace(/^\./, '')}: `}${message}`;
    },
  };
}

/** The line of the innermost part of the path that is in the file. */
function lineOf(document: Document, lines: LineCounter, path: Path): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function check<S extends z.ZodType>(schema: S, file: SourceFile, problems: string[]): z.output<S> | null {
  const read = schema.safeParse(file.value);
  if (read.success) return read.data;
  for (const issue of read.error.issues) problems.push(file.problem(issue.path, wordsOf(issue, file.value)));
  return null;
}

/** "is missing" instead of what zod says about `undefined`. */
function wordsOf(issue: z.core.$ZodIssue, value: unknown): string {
  const found = issue.path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined),
    value,
  );
  if (issue.code === 'unrecognized_keys') return issue.message;
  if (issue.code === 'invalid_union' && !issue.message.startsWith('must'))
    return issue.errors
      .flat()
      .map(({ message }) => message)
      .join(', or ');
  if (found === undefined && issue.path.length > 0)
    return `is missing${issue.message.startsWith('must') ? ` (${issue.message})` : ''}`;
  const shown = typeof found === 'string' || typeof found === 'number' ? `, not ${JSON.stringify(found)}` : '';
  return `${issue.message}${shown}`;
}
