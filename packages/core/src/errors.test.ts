import { describe, expect, test } from "vitest";
import { ConfigError, DataError, FormatError, L0gmError, NumericalError, ShapeError } from "./errors.ts";

describe.each([
  ["ShapeError", ShapeError],
  ["ConfigError", ConfigError],
  ["DataError", DataError],
  ["FormatError", FormatError],
  ["NumericalError", NumericalError],
] as const)("%s", (name, ErrorClass) => {
  const error = new ErrorClass({ where: "gate", expected: "[batch, 64]", received: [8, 32], hint: "set units" });

  test("is an L0gmError under its own name", () => {
    expect(error).toBeInstanceOf(L0gmError);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe(name);
    expect(String(error)).toBe(`${name}: gate: expected [batch, 64], received [8,32]\n  set units`);
  });

  test("keeps what it says as fields", () => {
    expect(error).toMatchObject({ where: "gate", expected: "[batch, 64]", received: [8, 32], hint: "set units" });
  });
});

test("without a hint the message is one line; the cause is kept", () => {
  const cause = new Error("inner");
  const error = new DataError({ where: "row 3", expected: "a number", received: "x" }, { cause });
  expect(error.message).toBe("row 3: expected a number, received x");
  expect(error.hint).toBeUndefined();
  expect(error.cause).toBe(cause);
});

test.each([
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "Infinity"],
  [undefined, "undefined"],
  [null, "null"],
  [12n, "12"],
  [{ a: 1 }, '{"a":1}'],
  [() => 1, "() => 1"],
])("shows %s as %s", (received, shown) => {
  expect(new ConfigError({ where: "w", expected: "e", received }).message).toBe(`w: expected e, received ${shown}`);
});
