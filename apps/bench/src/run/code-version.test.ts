import { expect, test } from "vitest";
import { codeVersion } from "./code-version.ts";

test("the same code has the same version", () => {
  expect(codeVersion()).toMatch(/^[0-9a-f]{12}$/);
  expect(codeVersion()).toBe(codeVersion());
});
