/** Runs the command as a user would. `build.ts` has built it. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Random } from "@l0gm/core";
import { onTestFinished } from "vitest";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

/** What a command left behind. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
}

export function start(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (piece: string) => {
      texts[name] += piece;
    });
  }
  const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, ...texts })));
  return { process: child, ended };
}

export function l0gm(...args: readonly string[]): Promise<Ended> {
  return start(args).ended;
}

/** A folder that is removed when the test ends, or at the `end` given. */
export function temporaryFolder(end: (remove: () => void) => void = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), "l0gm-test-"));
  end(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** A table whose class can be learned from `age` and `town`; every twentieth value of `hours` is missing. */
export function tableText(rows: number): string {
  const random = Random.from(7, "table");
  const lines = Array.from({ length: rows }, () => {
    const age = 18 + random.integer(60);
    const town = ["Ghent", "Lyon", "Graz"][random.integer(3)] ?? "";
    const hours = random.integer(20) === 0 ? "?" : (20 + 30 * random.next()).toFixed(1);
    const score = (age - 45) / 10 + (town === "Lyon" ? 1 : 0) + random.normal() / 2;
    return `${age},${town},${hours},${score > 0 ? "yes" : "no"}`;
  });
  return `${["age,town,hours,class", ...lines].join("\n")}\n`;
}

/** Writes a file into a folder and gives its path. */
export function writeInto(folder: string, name: string, content: string | object): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

/** Settings of a network that trains in a second. */
export const SMALL = {
  width: 8,
  epochs: 4,
  batchSize: 32,
  encoder: { kind: "mlp", hidden: [8], numericDimension: 2, categoricalDimension: 2 },
  path: { fractions: [1, 0.5, 0.25], epochs: 8 },
};
