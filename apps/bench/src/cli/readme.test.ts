import { DataError } from "@l0gm/core";
import { expect, test } from "vitest";
import { frontierSummary } from "../report/summary.ts";
import { syntheticRuns } from "../report/synthetic-runs.ts";
import { fillReadme } from "./readme.ts";

const README = "# Title\n<!-- results:start -->\nold\n<!-- results:end -->\nrest\n";

test("the table takes the place between the marks, again and again", () => {
  const summaries = frontierSummary(syntheticRuns());
  const tables = { summaries, command: "l0gm sweep adult" };
  const filled = fillReadme(README, tables, "README.md");
  expect(filled).toMatch(/^# Title\n<!-- results:start -->\n/);
  expect(filled).toMatch(/\n<!-- results:end -->\nrest\n$/);
  expect(filled).not.toMatch("old");
  expect(filled).toMatch(/^\| dense \| /m);
  for (const line of summaries[0]?.verdict ?? []) expect(filled).toContain(`\n- ${line}\n`);
  expect(filled).toContain("\nMade by `l0gm sweep adult`.\n");
  expect(fillReadme(filled, tables, "README.md")).toBe(filled);
});

test("a README without the marks is refused", () => {
  expect(() => fillReadme("# Title\n", { summaries: [], command: "" }, "README.md")).toThrow(DataError);
});
