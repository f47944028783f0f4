import { expect, it } from "vitest";
import { studentQuantile } from "./student-t.ts";

// scipy.stats.t.ppf((1 + level) / 2, degrees)
it.each([
  [0.5, 1, 1.0000000000000002],
  [0.95, 1, 12.706204736174694],
  [0.95, 2, 4.302652729749462],
  [0.9, 3, 2.3533634348018233],
  [0.95, 4, 2.7764451051977934],
  [0.99, 4, 4.604094871349992],
  [0.999, 5, 6.868826625881276],
  [0.95, 9, 2.262157162798205],
  [0.5, 29, 0.6830438608216131],
  [0.99, 30, 2.7499956535672254],
  [0.999, 100, 3.390491311164263],
  [0.95, 16280, 1.9601097120960789],
  [0.99, 1000000, 2.5758342201053344],
])("level %f with %i degrees of freedom is %f", (level, degrees, expected) => {
  expect(studentQuantile(level, degrees) / expected).toBeCloseTo(1, 9);
});

it("is the tangent for one degree of freedom", () => {
  for (const level of [1e-6, 0.1, 0.5, 0.999, 1 - 1e-6]) {
    expect(studentQuantile(level, 1) / Math.tan((Math.PI / 2) * level)).toBeCloseTo(1, 8);
  }
});
