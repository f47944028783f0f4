import { randomNormal, randomUniform, useBackend } from "@l0gm/backend";
import { Random } from "@l0gm/core";
import { expect, it } from "vitest";

it("the backend's random tensors hold the numbers of core's Random at the same address", async () => {
  for (const backend of ["wasm", "cpu"] as const) {
    await useBackend(backend);
    for (const seed of [0, 7, 2 ** 40 + 12345]) {
      const uniform = randomUniform([501], [seed, "gate", 12], -1, 3);
      expect(uniform.dataSync()).toEqual(Random.from(seed, "gate", 12).uniforms(501, -1, 3));
      const normal = randomNormal([501], [seed, "initial", "kernel"], 0.5, 2);
      const expected = Random.from(seed, "initial", "kernel").normals(501, 0.5, 2);
      normal.dataSync().forEach((value, i) => {
        expect(Math.abs(value - (expected[i] ?? Number.NaN))).toBeLessThanOrEqual(2 ** -22);
      });
      uniform.dispose();
      normal.dispose();
    }
  }
});
