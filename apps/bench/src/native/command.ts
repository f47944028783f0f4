import { type SpawnOptions, spawn } from "node:child_process";

/** How a command ended, and what it printed where that was kept. */
export interface Ended {
  /** What went wrong; undefined where nothing did. */
  readonly failure: string | undefined;
  readonly stdout: string;
}

/**
 * Runs a command to its end; one that cannot be started has failed, too.
 *
 * @param options - `stdio` left out: standard output is kept, errors are thrown away
 */
export function runCommand(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"], ...options });
    let stdout = "";
    child.stdout?.setEncoding("utf8").on("data", (piece: string) => {
      stdout += piece;
    });
    child.on("error", ({ message }) => resolve({ failure: message, stdout }));
    child.on("close", (code, signal) => {
      const how = signal === null ? `exit code ${code}` : `ended by ${signal}`;
      resolve({ failure: code === 0 ? undefined : `${command} failed: ${how}`, stdout });
    });
  });
}

/** Runs a command in sight of the user, its output on standard error. */
export function showCommand(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<Ended> {
  return runCommand(command, args, { stdio: ["ignore", process.stderr, process.stderr], ...options });
}
