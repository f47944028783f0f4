import { createHash } from "node:crypto";
import { expect, test, vi } from "vitest";
import { ConfigError } from "../errors.ts";
import { sha256 } from "./sha256.ts";

test.each([0, 1, 55, 56, 64, 1000])(
  "%d bytes, a part of a larger buffer, have the hash that Node computes",
  async (length) => {
    const bytes = Uint8Array.from({ length: length + 3 }, (_, i) => 37 * i).subarray(2, 2 + length);
    expect(await sha256(bytes)).toBe(createHash("sha256").update(bytes).digest("hex"));
  },
);

test("says what to do where a page has no crypto.subtle", async () => {
  vi.stubGlobal("crypto", undefined);
  try {
    await expect(sha256(new Uint8Array(1))).rejects.toThrow(ConfigError);
    await expect(sha256(new Uint8Array(1))).rejects.toThrow(/HTTPS/);
  } finally {
    vi.unstubAllGlobals();
  }
});
