import { DataError } from "@l0gm/core";
import { expect, test } from "vitest";
import { syntheticRuns } from "../report/synthetic-runs.ts";
import { fillReadme } from "./readme.ts";

const README = "# Title\n<!-- results:start -->\nold\n<!-- results:end -->\nrest\n";

test("the table takes the place between the marks, again and again", () => {
  const runs = syntheticRuns();
  const filled = fillReadme(README, runs, "README.md");
  expect(filled).toMatch(/^# Title\n<!-- results:start -->\n/);
  expect(filled).toMatch(/\n<!-- results:end -->\nrest\n$/);
  expect(filled).not.toMatch("old");
  expect(filled).toMatch(/^\| dense \| /m);
  expect(fillReadme(filled, runs, "README.md")).toBe(filled);
});

test("a README without the marks is refused", () => {
  expect(() => fillReadme("# Title\n", [], "README.md")).toThrow(DataError);
});
