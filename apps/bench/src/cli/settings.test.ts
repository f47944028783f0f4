import { expect, test } from "vitest";
import { withLabel, withPathFractions } from "./settings.ts";

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
