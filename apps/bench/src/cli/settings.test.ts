import { expect, test } from "vitest";
import { checkLabel, withColumns, withPathFractions, withPretrained } from "./settings.ts";

test("options join the settings of a file", () => {
  expect(withColumns({ epochs: 3, data: { delimiter: ";" } }, { label: "class" })).toEqual({
    epochs: 3,
    data: { delimiter: ";", label: "class" },
  });
  expect(withColumns({ epochs: 3 }, {})).toEqual({ epochs: 3 });
  expect(withColumns({}, { label: "topic", text: "body" })).toEqual({ data: { label: "topic", text: "body" } });
  const encoder = { kind: "bert", model: "small", layers: 2 };
  expect(withPretrained({ encoder: { layers: 2 } }, { model: "small" })).toEqual({ encoder });
  expect(withPretrained({ encoder }, { trainableLayers: 1 })).toEqual({ encoder: { ...encoder, trainableLayers: 1 } });
  expect(() => withPretrained({ epochs: 3 }, { trainableLayers: 1 })).toThrow(/--trainable-layers: .*--model names/);
  expect(withPathFractions({}, [0.25, 1])).toEqual({ path: { fractions: [1, 0.25] } });
});

test("what the schema will refuse is left as it is", () => {
  expect(withColumns([], { label: "class" })).toEqual([]);
  expect(withColumns({ data: "x" }, { label: "class" })).toEqual({ data: "x" });
});

test("a label is refused where the data have their own", () => {
  expect(() => checkLabel("tabular", "class")).not.toThrow();
  expect(() => checkLabel("graph", undefined)).not.toThrow();
  for (const benchmark of ["graph", "cora", "adult"]) {
    expect(() => checkLabel(benchmark, "class")).toThrow(`--label of ${benchmark}: expected no --label`);
  }
});
