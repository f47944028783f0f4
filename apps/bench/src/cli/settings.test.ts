import { expect, test } from "vitest";
import { checkLabel, withLabel, withPathFractions } from "./settings.ts";

test("options join the settings of a file", () => {
  expect(withLabel({ epochs: 3, data: { delimiter: ";" } }, "class")).toEqual({
    epochs: 3,
    data: { delimiter: ";", label: "class" },
  });
  expect(withLabel({ epochs: 3 }, undefined)).toEqual({ epochs: 3 });
  expect(withPathFractions({}, [0.25, 1])).toEqual({ path: { fractions: [1, 0.25] } });
});

test("what the schema will refuse is left as it is", () => {
  expect(withLabel([], "class")).toEqual([]);
  expect(withLabel({ data: "x" }, "class")).toEqual({ data: "x" });
});

test("a label is refused where the data have their own", () => {
  expect(() => checkLabel("tabular", "class")).not.toThrow();
  expect(() => checkLabel("graph", undefined)).not.toThrow();
  for (const benchmark of ["graph", "cora", "adult"]) {
    expect(() => checkLabel(benchmark, "class")).toThrow(`--label of ${benchmark}: expected no --label`);
  }
});
