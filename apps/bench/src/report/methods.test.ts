import { expect, it } from "vitest";
import { groupRuns } from "./aggregate.ts";
import { methodStyles } from "./methods.ts";
import { syntheticRuns } from "./synthetic-runs.ts";

it("tells every method from every other by marker as well as by colour", () => {
  const comparators = ["a", "b", "c", "d", "e"];
  const [group] = groupRuns(
    syntheticRuns({ methods: ["dense", "l0gm", "l0gm-path", ...comparators], seeds: 1, fractions: [0.5] }),
  );
  if (group === undefined) throw new Error("no group");
  const styles = ["l0gm", "l0gm-path", ...comparators].map(methodStyles(group));
  expect(new Set(styles.map((style) => style.color)).size).toBe(7);
  expect(new Set(styles.map((style) => style.symbol)).size).toBe(7);
});
