import { L0gmError } from "@l0gm/core";
import { CommanderError } from "commander";
import { isWrongInput } from "../run/failure.ts";

/** What the process ends with. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Thrown where a signal stops the work. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** The command that was typed, ready to be pasted again. */
export function thisCommand(): string {
  const quoted = process.argv
    .slice(2)
    .map((word) => (/^[\w./:=,@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
  const { npm_lifecycle_event: script = "" } = process.env;
  return [["l0gm", "reproduce"].includes(script) ? "pnpm l0gm" : "l0gm", ...quoted].join(" ");
}

/**
 * Calls `work` with a signal that SIGINT and SIGTERM abort; a second signal ends the process at once.
 *
 * @throws Interrupted when it was aborted
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new Interrupted("interrupted"));
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

/** Says on standard error what went wrong, at most one screen of it. @returns the exit code */
export function explain(error: unknown, debug: boolean): number {
  // Commander has printed its own message by now.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof Interrupted) {
    process.stderr.write(`\nInterrupted. What is finished is kept. To go on:\n  ${thisCommand()}\n`);
    return EXIT.interrupted;
  }
  const known = isWrongInput(error) || error instanceof L0gmError;
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${known ? "error" : "unexpected error"}: ${text.slice(0, 2000)}\n`);
  if (debug && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
  else if (!known) process.stderr.write("Run again with --debug for the place in the code.\n");
  return isWrongInput(error) ? EXIT.usage : EXIT.failed;
}
