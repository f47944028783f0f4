import { expect, test } from "vitest";
import { printed } from "./printed.ts";

test("what agrees to the decimals given passes", () => {
  printed("0.832", 0.83151);
  printed("0, 0.5, 1", new Float32Array([0, 0.5, 1]));
  printed("8 true", 8, true);
  printed("2.00", 1.9961);
  printed("-1e-3", -0.0014);
});

test("what does not agree fails and says what was printed", () => {
  expect(() => printed("0.84", 0.83151)).toThrow('says that it prints "0.84", but it prints "0.83151"');
  expect(() => printed("8 true", 8, false)).toThrow();
  expect(() => printed("1, 2", [1, 2, 3])).toThrow();
  expect(() => printed("1", Number.NaN)).toThrow();
  expect(() => printed("1e-3", 0.4)).toThrow();
});
