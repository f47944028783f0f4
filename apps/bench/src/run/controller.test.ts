import { expect, test } from "vitest";
import { parseConfig, runConfig } from "../tasks/config.ts";
import { controllerFor, epochsOf, learningRateCourse } from "./controller.ts";

const config = parseConfig(
  runConfig,
  {
    epochs: 7,
    weights: { schedule: "constant" },
    penalty: { warmUp: 0.5, rise: "linear" },
    path: { fractions: [0.5, 0.25], epochs: 9 },
  },
  "config",
);

test("each method has its controller", () => {
  expect(controllerFor({ kind: "dense" }, config)).toBeUndefined();
  expect(controllerFor({ kind: "target", fraction: 0.5 }, config)).toMatchObject({
    mode: "target",
    segments: [{ fraction: 0.5 }],
  });
  expect(controllerFor({ kind: "path" }, config)?.segments.map(({ fraction }) => fraction)).toEqual([0.5, 0.25]);
  const penalty = controllerFor({ kind: "penalty", lambda: 2 }, config);
  const at = (progress: number): number | undefined => penalty?.update({ segment: 0, progress, expected: 1 }, 0);
  expect([at(0.25), at(0.75), at(1)]).toEqual([0, 1, 2]);
});

test("a path has epochs of its own", () => {
  expect(epochsOf({ kind: "path" }, config)).toBe(9);
  expect(epochsOf({ kind: "dense" }, config)).toBe(7);
});

test("the learning rate warms up and then follows the schedule", () => {
  const constant = learningRateCourse(config);
  expect([constant(0), constant(0.05), constant(1)]).toEqual([0, 1, 1]);
  const cosine = learningRateCourse(parseConfig(runConfig, {}, "config"));
  expect(cosine(1)).toBeCloseTo(0.01);
});
