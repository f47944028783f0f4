import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ARGUMENTS_AT, CONTROL_BYTES, type CompiledKernels, compileKernels, instantiate } from "./compile.ts";
import { PRODUCT, ROWS } from "./tasks.ts";
import { webAssembly } from "./web-assembly.ts";

/** Multiplies [rows, inner] by [inner, columns], of numbers that have no short sums, on a memory of its own. */
function multiply({ module }: CompiledKernels, rows: number, inner: number, columns: number): Float32Array {
  const memory = new webAssembly.Memory({ initial: 64, maximum: 65536, shared: false });
  const kernels = instantiate(module, memory);
  const control = 2 ** 20;
  kernels.configure(control, control + CONTROL_BYTES, 0);
  const values = new Float32Array(memory.buffer);
  const [b, c] = [rows * inner, (rows + columns) * inner];
  for (let i = 0; i < c; i++) values[i] = Math.sin(i * 12.9898);
  const args = new Float64Array(memory.buffer, control + ARGUMENTS_AT, 32);
  args.set([0, 4 * b, 4 * c, 0, rows, columns, inner, inner, 1, columns, 1, 0, 0, 0, ROWS, 0, 0, 0]);
  kernels.run(PRODUCT, rows, rows);
  return values.slice(c, c + rows * columns);
}

/** Whether this process should have vectors of 256 bits. */
function shouldBeWide(): boolean {
  const hasAvx2 = process.platform === "linux" && readFileSync("/proc/cpuinfo", "utf8").includes(" avx2 ");
  return hasAvx2 && process.arch === "x64" && [24, 25, 26].includes(Number.parseInt(process.versions.node, 10));
}

describe("compileKernels", () => {
  test("leaves out the instructions that are not wanted", () => {
    expect(compileKernels({ fma: false, wide: true }, false)).toMatchObject({ fma: false, wide: false });
    expect(compileKernels({ fma: true, wide: false }, false)).toMatchObject({ fma: true, wide: false });
  });

  test.skipIf(!shouldBeWide())("uses 256 bits where the machine and Node have them", () => {
    expect(compileKernels({ fma: true, wide: true }, false)).toMatchObject({ fma: true, wide: true });
    expect(compileKernels({ fma: true, wide: true }, true)).toMatchObject({ fma: true, wide: true });
  });

  test("gives the same bits whatever the vectors' width", () => {
    const narrow = compileKernels({ fma: true, wide: false }, false);
    const wide = compileKernels({ fma: true, wide: true }, false);
    const size = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(size, fc.integer({ min: 1, max: 600 }), size, (rows, inner, columns) => {
        expect(multiply(wide, rows, inner, columns)).toEqual(multiply(narrow, rows, inner, columns));
      }),
    );
  });
});
