/** So much at once and no more. What fails is thrown to whoever brings the next piece, or waits for the last. */
export function createBoundedWork(most: number) {
  const running = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;

  const rethrow = (): void => {
    if (failure) throw failure.error;
  };

  return {
    /** Begins it as soon as there is room. */
    async add(work: () => Promise<void>): Promise<void> {
      while (running.size >= most) await Promise.race(running);
      rethrow();
      const piece: Promise<void> = work()
        .catch((error: unknown) => void (failure ??= { error }))
        .finally(() => running.delete(piece));
      running.add(piece);
    },
    /** Until all of it is done. */
    async settle(): Promise<void> {
      await Promise.all(running);
      rethrow();
    },
  };
}
