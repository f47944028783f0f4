import { expect, test } from "vitest";
import { normalQuantile } from "./normal-quantile.ts";

test.each([
  // Python 3: statistics.NormalDist().inv_cdf(p)
  [1e-20, -9.262340089798405],
  [1e-7, -5.199337582192817],
  [0.01, -2.3263478740408408],
  [0.07, -1.4757910281791702],
  [0.2, -0.8416212335729142],
  [0.5, 0],
  [0.6, 0.2533471031357998],
  [0.95, 1.6448536269514715],
  [1 - 1e-7, 5.199337582290662],
])("the quantile of %d is %d", (p, expected) => {
  expect(normalQuantile(p)).toBeCloseTo(expected, 12);
});
