import { expect, test } from "vitest";
import { disagreement } from "./agreement.ts";

test("losses that agree to the tolerance agree", () => {
  expect(
    disagreement(
      new Map([
        ["a", [0.79408, 0.7827]],
        ["b", [0.79409, 0.7835]],
      ]),
    ),
  ).toBeUndefined();
  expect(disagreement(new Map([["alone", [1, 2]]]))).toBeUndefined();
  expect(disagreement(new Map())).toBeUndefined();
});

test("a first loss, or one after a step, that differs is named with all values", () => {
  expect(
    disagreement(
      new Map([
        ["a", [0.7941, 0.7]],
        ["b", [0.7943, 0.7]],
      ]),
    ),
  ).toBe("the first value differs by more than 0.0001: a 0.7941, b 0.7943");
  expect(
    disagreement(
      new Map([
        ["a", [1, 0.7]],
        ["b", [1, 0.702]],
      ]),
    ),
  ).toMatch(/the value after a step .* b 0\.702/);
});

test("not a number agrees with nothing, and one check not with two", () => {
  expect(
    disagreement(
      new Map([
        ["a", [Number.NaN]],
        ["b", [1]],
      ]),
    ),
  ).toMatch(/the first value/);
  expect(
    disagreement(
      new Map([
        ["a", [1]],
        ["b", [1, 2]],
      ]),
    ),
  ).toMatch(/some give 1, others 2/);
});
