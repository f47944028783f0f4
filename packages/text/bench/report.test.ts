import { expect, test } from "vitest";
import { CASES } from "./cases.ts";
import { extrasText, fillSpeed, ratio, type Series, spread, table } from "./report.ts";

test("quartiles lie between order statistics", () => {
  expect(spread([4, 1, 2, 3])).toEqual({ median: 2.5, lower: 1.75, upper: 3.25 });
  expect(spread([7])).toEqual({ median: 7, lower: 7, upper: 7 });
});

test("a ratio is taken within each round", () => {
  // The machine was half as fast in the second round, for both.
  expect(ratio([100, 200, 100], [50, 100, 50])).toEqual({ median: 2, lower: 2, upper: 2 });
});

test("a row has one of ours beside PyTorch on as many threads", () => {
  const series = (of: Series["of"], threads: number, time: number): Series => ({
    of,
    threads,
    milliseconds: [time],
    peakBytes: 2 ** 30,
  });
  const text = table([
    {
      case: CASES.bert,
      tokens: 8192,
      others: 0.25,
      series: [series("ours", 1, 4000), series("ours", 2, 2000), series("PyTorch", 2, 1000)],
    },
  ]);
  const [, , one, two] = text.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  expect(one?.slice(2, 7)).toEqual(["1", "4.00 [4.00, 4.00]", "", "", "2,048"]);
  expect(two?.slice(2)).toEqual([
    "2",
    "2.00 [2.00, 2.00]",
    "1.00 [1.00, 1.00]",
    "2.00 [2.00, 2.00]",
    "4,096",
    "1.00",
    "1.00",
    "25 %",
    "",
  ]);
});

test("what the cache saves is said for a thousand texts", () => {
  const [cache, tokenizing] = extrasText({ cache: { texts: 100, without: 20, fill: 12, with: 8 } }, 256, 2);
  expect(cache).toMatch(
    /takes 200 s a thousand texts of 256 tokens without it and 80\.0 s with it.*2\.5 times.*120 s once/,
  );
  expect(tokenizing).toMatch(/not measured/);
});

test("a page's section is written anew, and has to be there", () => {
  const page = "a\n<!-- speed -->\nold\n<!-- /speed -->\nb";
  expect(fillSpeed(page, "new\n", "page.md")).toBe("a\n<!-- speed -->\n\nnew\n\n<!-- /speed -->\nb");
  expect(() => fillSpeed("a", "new", "page.md")).toThrow(/page\.md has no lines/);
});
