/** The states that packs and stickers can be in, and which decision leads from which to which. Pure. */
import { AppError } from '@omnizap/runtime';

export const moderationStates = ['approved', 'held', 'rejected', 'taken_down'] as const;
/** `held`: waits for a person. `rejected`: a person looked and said no; a change by its owner asks again. Packs only. */
export type ModerationState = (typeof moderationStates)[number];

export type ModerationTarget = 'pack' | 'sticker';

export const packDecisions = ['approve', 'reject', 'take-down', 'restore'] as const;
export const stickerDecisions = ['approve', 'take-down', 'restore'] as const;
export type Decision = (typeof packDecisions)[number];

const transitions: Record<Decision, { from: ModerationState[]; to: ModerationState }> = {
  approve: { from: ['held', 'rejected'], to: 'approved' },
  reject: { from: ['held'], to: 'rejected' },
  'take-down': { from: ['approved', 'held', 'rejected'], to: 'taken_down' },
  restore: { from: ['taken_down'], to: 'approved' },
};

/** What to do instead, said from the state. */
const remedies: Record<ModerationState, string> = {
  approved: 'take it down instead',
  held: 'approve or reject it instead',
  rejected: 'approve it or take it down instead',
  taken_down: 'restore it instead',
};

/**
 * The state that `decision` leads to; `from` itself when it was decided so already.
 * @throws AppError `moderation-conflict` when the decision does not fit the state
 */
export function stateAfter(decision: Decision, from: ModerationState, subject: string): ModerationState {
  const { from: possible, to } = transitions[decision];
  if (from === to || possible.includes(from)) return to;
  throw new AppError(
    'moderation-conflict',
    `${subject} is ${from}, and "${decision}" needs it to be ${possible.join(' or ')}: ${remedies[from]}.`,
  );
}
