/** Kinds of requests that are counted apart, each with a limit of its own. */
export const limitClasses = ['read', 'write', 'upload', 'count', 'admin', 'sign-in'] as const;
export type LimitClass = (typeof limitClasses)[number];
