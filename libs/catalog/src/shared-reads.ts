/**
 * One statement for everybody who asks the same while it waits for a connection. Where many ask at once, most of them ask for the few
 * things that are popular, and each would wait in line for a statement of his own. Nobody shares one that was sent already: an answer
 * is never older than its question, so whoever changed something reads his change.
 */

/** Adds the listener that a statement tells when it gets its connection. */
export type WhenSent = (statement: { on(event: 'start', listener: () => void): unknown }) => void;

export function createSharedReads() {
  const waiting = new Map<string, Promise<unknown>>();

  /**
   * `read` applies `whenSent` to its one statement. What it returns belongs to all who asked: nobody may change it. Equal keys mean equal
   * statements.
   */
  return function share<T>(key: string, read: (whenSent: WhenSent) => Promise<T>): Promise<T> {
    const known = waiting.get(key);
    if (known) return known as Promise<T>;
    const leave = (): void => void (waiting.get(key) === reading && waiting.delete(key));
    const reading: Promise<T> = read((statement) => void statement.on('start', leave));
    waiting.set(key, reading);
    // A statement that never got a connection was never sent.
    reading.then(leave, leave);
    return reading;
  };
}
