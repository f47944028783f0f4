import { InvalidArgumentError } from "commander";
import { expect, test } from "vitest";
import { count, fraction, fractions, integer, weight } from "./options.ts";

test("fractions are decimals or quotients", () => {
  expect(fractions("1,1/2, 0.25,1/16")).toEqual([1, 0.5, 0.25, 0.0625]);
  for (const text of ["", "half", "1/0", "1/2/3", "/2", "1/"])
    expect(() => fraction(text), text).toThrow(InvalidArgumentError);
});

test("counts start at 1, integers at 0", () => {
  expect([integer("0"), count("3")]).toEqual([0, 3]);
  for (const text of ["-1", "1.5", "x", ""]) expect(() => integer(text), text).toThrow(InvalidArgumentError);
  expect(() => count("0")).toThrow(InvalidArgumentError);
  expect(() => integer("9007199254740992")).toThrow("2^53 - 1");
});

test("a weight is a number of at least 0", () => {
  expect([weight("0"), weight("1e-3")]).toEqual([0, 0.001]);
  for (const text of ["-1", "", "x", "Infinity"]) expect(() => weight(text), text).toThrow(InvalidArgumentError);
});
