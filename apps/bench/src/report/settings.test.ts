import { expect, it } from "vitest";
import { groupRuns } from "./aggregate.ts";
import { settingsOf, versionsOf, warningsOf } from "./settings.ts";
import { syntheticRuns } from "./synthetic-runs.ts";

const runs = syntheticRuns({ methods: ["dense", "l0gm"], fractions: [0.5, 1 / 32], seeds: 2 });
const [group] = groupRuns(runs);
if (group === undefined) throw new Error("no group");

it("tells settings that all runs share from those that differ", () => {
  const { shared, varying } = settingsOf(group);
  expect(shared).toContainEqual(["encoder.layers", "[256,256]"]);
  expect(varying).toEqual([["optimizer.gates.rate", "0 (dense); 0.02 (l0gm)"]]);
});

it("lists each warning once with its runs", () => {
  expect(warningsOf(group)).toEqual([{ text: "collapse: 2 gates stayed saturated", runs: ["l0gm at 1/32, seed 1"] }]);
});

it("shows versions that differ side by side", () => {
  const [first, second] = runs;
  if (first === undefined || second === undefined) throw new Error("no runs");
  expect(versionsOf([first, { ...second, versions: { node: "22.0.0" } }])).toContainEqual(["node", "20.20.2, 22.0.0"]);
});
