import { describe, expect, it } from "vitest";
import { BackendError, L0gmError } from "./errors.ts";

describe("L0gmError", () => {
  it("says where, what was expected, what came and what to do", () => {
    const cause = new Error("below");
    const error = new BackendError({ where: "here", expected: "x", received: [1, 2], hint: "do y" }, { cause });
    expect(error).toBeInstanceOf(L0gmError);
    expect(error.name).toBe("BackendError");
    expect(error.message).toBe("here: expected x, received [1,2]\n  do y");
    expect(error.cause).toBe(cause);
  });

  it.each([
    ["text", "text"],
    [Number.NaN, "NaN"],
    [undefined, "undefined"],
    [7n, "7"],
    [null, "null"],
    [{ temperature: Number.NaN, limit: Number.NEGATIVE_INFINITY }, '{"temperature":"NaN","limit":"-Infinity"}'],
    [[7n], '["7"]'],
  ])("shows %s as %s", (received, shown) => {
    expect(new L0gmError({ where: "f", expected: "x", received }).message).toBe(`f: expected x, received ${shown}`);
  });

  it("cuts what is too long for a screen, and keeps it whole in received", () => {
    const received = Array.from({ length: 10_000 }, () => 1);
    const error = new L0gmError({ where: "f", expected: "x", received, hint: "do y" });
    expect(error.message.length).toBeLessThan(1100);
    expect(error.message).toMatch(/1,1… \(20001 characters\)\n {2}do y$/);
    expect(error.received).toBe(received);
  });
});
