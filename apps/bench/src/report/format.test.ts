import { describe, expect, it } from "vitest";
import {
  formatBytes,
  formatDifference,
  formatDuration,
  formatEstimate,
  formatFraction,
  formatNumber,
  formatSigned,
  plural,
} from "./format.ts";
import { MEASURES } from "./measures.ts";

describe("formatNumber", () => {
  it.each([
    [1234.5, 1, "1,234.5"],
    [-0.5, 1, "−0.5"],
    [-0.00001, 2, "0.00"],
    [Number.NaN, 2, "–"],
    [undefined, 2, "–"],
  ])("writes %s with %i digits as %s", (value, digits, text) => {
    expect(formatNumber(value, digits)).toBe(text);
  });
});

describe("formatSigned", () => {
  it.each([
    [0.11, "+0.11"],
    [-0.05, "−0.05"],
    [0.001, "0.00"],
  ])("writes %s as %s", (value, text) => {
    expect(formatSigned(value, 2)).toBe(text);
  });
});

describe("formatEstimate and formatDifference", () => {
  const several = { mean: -0.0005, n: 5, interval: { lower: -0.0021, upper: 0.0011, halfWidth: 0.0016 } };

  it("shows points with an interval", () => {
    expect(formatDifference(several, MEASURES.accuracy)).toBe("−0.05 [−0.21, +0.11]");
    expect(formatEstimate({ ...several, mean: 0.8521 }, MEASURES.accuracy)).toBe("85.21 ± 0.16");
  });

  it("shows one seed without one", () => {
    expect(formatDifference({ mean: 0.0012, n: 1 }, MEASURES.ece)).toBe("+0.0012");
    expect(formatEstimate({ mean: 0.0082, n: 1 }, MEASURES.ece)).toBe("0.0082");
    expect(formatEstimate(undefined, MEASURES.ece)).toBe("–");
  });
});

describe("formatFraction", () => {
  it.each([
    [1, "1"],
    [0.75, "0.75"],
    [1 / 32, "1/32"],
    [0.3, "0.3"],
    [0, "0"],
  ])("writes %s as %s", (fraction, text) => {
    expect(formatFraction(fraction)).toBe(text);
  });
});

describe("units", () => {
  it("chooses a unit that fits", () => {
    expect(formatDuration(6.5)).toBe("6.50 s");
    expect(formatDuration(119.7)).toBe("2 min 0 s");
    expect(formatDuration(7380)).toBe("2 h 3 min");
    expect(formatBytes(64)).toBe("64 B");
    expect(formatBytes(1536)).toBe("1.5 KiB");
    expect(plural(1, "seed")).toBe("1 seed");
    expect(plural(1200, "row")).toBe("1,200 rows");
  });
});
