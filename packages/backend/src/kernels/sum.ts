import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { input, type Kernel, type KernelCall } from "./kernel.ts";
import { addressOf, allocate, sizeOf } from "./memory.ts";
import { COLUMN_SUMS, ROW_SUMS } from "./tasks.ts";

/** Additions that are worth a second thread. */
const SHARED_WORK = 2 ** 14;

/**
 * Sums over neighbouring axes: the first ones, as in the gradient of a bias; the last ones, as in a loss; or some in the middle, as in a
 * mean over tokens. The stock kernel first transposes its operand, element by element.
 */
function sumOver(call: KernelCall, average: boolean): TensorInfo | TensorInfo[] {
  const { backend, assembly } = call;
  const x = input(call, "x");
  const axes = util.parseAxisParam(call.attrs["axis"] as number | number[], x.shape).sort((a, b) => a - b);
  if (sizeOf(x.shape) === 0) return sumOfNothing(call, axes, average);
  const first = axes[0] ?? 0;
  const end = first + axes.length;
  if (x.dtype !== "float32" || axes.some((axis, i) => axis !== first + i)) return call.stock();

  const outer = x.shape.slice(0, first);
  const inner = x.shape.slice(end);
  const [groups, rows, columns] = [sizeOf(outer), sizeOf(x.shape.slice(first, end)), sizeOf(inner)];
  const factor = average ? 1 / rows : 1;
  const out = allocate(backend, [...outer, ...(call.attrs["keepDims"] ? axes.map(() => 1) : []), ...inner]);
  const [from, to] = [addressOf(backend, x), addressOf(backend, out)];
  if (columns === 1) assembly.run(ROW_SUMS, groups, SHARED_WORK / rows, from, to, rows, factor);
  else
    assembly.run(
      COLUMN_SUMS,
      groups * Math.ceil(columns / 4),
      SHARED_WORK / (4 * rows),
      from,
      to,
      rows,
      columns,
      factor,
    );
  return out;
}

/** Zeros, or NaN for means, as TensorFlow has it; where the axes are no neighbours, the stock kernel leaves what was in memory. */
function sumOfNothing(call: KernelCall, axes: readonly number[], average: boolean): TensorInfo {
  const x = input(call, "x");
  const kept = call.attrs["keepDims"] ? 1 : undefined;
  const shape = x.shape.flatMap((length, axis) => (axes.includes(axis) ? (kept ?? []) : length));
  const out = allocate(call.backend, shape, average || x.dtype === "float32" ? "float32" : "int32");
  // The bits of a float 0 are those of an int 0.
  call.assembly.run(
    ROW_SUMS,
    sizeOf(shape),
    2 ** 30,
    addressOf(call.backend, x),
    addressOf(call.backend, out),
    0,
    average ? Number.NaN : 1,
  );
  return out;
}

export const sum: Kernel = { name: "Sum", run: (call) => sumOver(call, false) };

export const mean: Kernel = { name: "Mean", run: (call) => sumOver(call, true) };
