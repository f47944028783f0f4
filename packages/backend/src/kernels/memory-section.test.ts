import { describe, expect, it } from "vitest";
import { FUSED, PLAIN } from "./binaries.ts";
import { withMemory } from "./memory-section.ts";

const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

describe("withMemory", () => {
  it("changes one byte of an imported memory, and back", () => {
    for (const text of [PLAIN, FUSED]) {
      const module = new Uint8Array(Buffer.from(text, "base64"));
      const own = withMemory(module, false) ?? new Uint8Array();
      const shared = withMemory(module, true) ?? new Uint8Array();
      const changed = [...own.keys()].filter((i) => own[i] !== shared[i]);
      expect(changed.map((i) => [own[i], shared[i]])).toEqual([[1, 3]]);
      expect(withMemory(own, true)).toEqual(shared);
    }
  });

  it("finds a memory of the module's own behind other imports and sections", () => {
    const types = [1, 4, 1, 0x60, 0, 0];
    const imports = [2, 7, 1, 1, 0x61, 1, 0x62, 0, 0];
    const memory = [5, 4, 1, 1, 1, 2];
    const module = Uint8Array.from([...HEADER, ...types, ...imports, ...memory]);
    const shared = withMemory(module, true);
    expect(shared).toEqual(Uint8Array.from([...HEADER, ...types, ...imports, 5, 4, 1, 3, 1, 2]));
    expect(module.at(-3)).toBe(1);
  });

  it("gives nothing for what is no module, for one without memory, and for a memory without a maximum", () => {
    expect(withMemory(new TextEncoder().encode("<html>\u0002\u0005 not found</html>"), true)).toBeUndefined();
    expect(withMemory(Uint8Array.from(HEADER), true)).toBeUndefined();
    expect(withMemory(Uint8Array.from([...HEADER, 5, 3, 1, 0, 1]), true)).toBeUndefined();
  });
});
