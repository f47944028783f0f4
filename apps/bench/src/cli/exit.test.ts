import { ConfigError, NumericalError } from "@l0gm/core";
import { CommanderError } from "commander";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EXIT, explain, Interrupted, interruptible, thisCommand } from "./exit.ts";

let text = "";
beforeEach(() => {
  text = "";
  vi.spyOn(process.stderr, "write").mockImplementation((piece) => {
    text += piece;
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

const details = { where: "here", expected: "one thing", received: "another", hint: "do this" };

describe("explain", () => {
  test.for([
    ["wrong input", new ConfigError(details), EXIT.usage],
    ["a number that is not finite", new NumericalError(details), EXIT.failed],
    ["a bug", new TypeError("x is not a function"), EXIT.failed],
    ["an interruption", new Interrupted(), EXIT.interrupted],
    ["help", new CommanderError(0, "commander.helpDisplayed", ""), EXIT.done],
    ["a usage error", new CommanderError(1, "commander.unknownOption", ""), EXIT.usage],
  ] as const)("%s", ([_, error, code]) => {
    expect(explain(error, false)).toBe(code);
  });

  test("says what to do, and where in the code only when asked", () => {
    explain(new ConfigError(details), false);
    expect(text).toBe("error: here: expected one thing, received another\n  do this\n");
    explain(new TypeError("x"), false);
    expect(text).toMatch("--debug");
    expect(text).not.toMatch(/ at /);
    explain(new TypeError("x"), true);
    expect(text).toMatch(/exit\.test\.ts/);
  });
});

test("the command is quoted for a shell", () => {
  const { argv } = process;
  process.argv = ["node", "main.js", "run", "my file's.csv", "--target", "1/8"];
  expect(thisCommand()).toBe("l0gm run 'my file'\\''s.csv' --target 1/8");
  process.argv = argv;
});

test("a signal aborts the work, and its listeners go with it", async () => {
  const before = process.listenerCount("SIGINT");
  const work = interruptible(
    (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  );
  process.emit("SIGINT");
  await expect(work).rejects.toThrow(Interrupted);
  expect(process.listenerCount("SIGINT")).toBe(before);
});
