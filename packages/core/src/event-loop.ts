/** Between two turns: short enough for a person, long enough to cost nothing. */
const INTERVAL_MS = 100;

/** One turn of the event loop. By a message, since browsers hold back the timers of a page that is not seen. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  });
}

let last = Number.NEGATIVE_INFINITY;

/**
 * Lets timers, signals and messages through, where the last time was 100 ms ago. Between the steps of a long computation: on
 * WebAssembly and the CPU, awaiting a tensor's numbers waits for nothing, so that all else would go unheard until the end.
 *
 * @example
 * ```ts
 * declare const batches: Iterable<() => Promise<void>>;
 * declare const signal: AbortSignal;
 * for (const compute of batches) {
 *   await compute();
 *   await yieldToEvents();
 *   signal.throwIfAborted(); // heard, though nothing else waits
 * }
 * ```
 */
export async function yieldToEvents(): Promise<void> {
  if (performance.now() - last < INTERVAL_MS) return;
  await eventLoopTurn();
  last = performance.now();
}
