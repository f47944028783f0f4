import { BackendError } from "../errors.ts";
import { input, type Kernel } from "./kernel.ts";
import { allocate, sizeOf, wordOffset } from "./memory.ts";

/**
 * Sums the rows of `x` that share a segment; the stock backend has no such kernel, though the gradient of every gather, and so of
 * every embedding, needs one. Rows whose id is negative or not below `numSegments` are dropped, as tfjs's `cpu` backend does.
 */
export const segmentSum: Kernel = {
  name: "UnsortedSegmentSum",
  added: true,
  run(call) {
    const x = input(call, "x");
    const segmentIds = input(call, "segmentIds");
    const segments = call.attrs["numSegments"] as number;
    if (x.dtype !== "float32" || segmentIds.dtype !== "int32") {
      throw new BackendError({
        where: "unsortedSegmentSum",
        expected: "x of type float32 and segment ids of type int32",
        received: `${x.dtype} and ${segmentIds.dtype}`,
        hint: "convert them with tf.cast first",
      });
    }
    const [rows] = segmentIds.shape;
    if (segmentIds.shape.length !== 1 || rows === undefined || x.shape[0] !== rows || segments < 0) {
      throw new BackendError({
        where: "unsortedSegmentSum",
        expected: "x [rows, ...], segment ids [rows] and at least 0 segments",
        received: `[${x.shape}], [${segmentIds.shape}] and ${segments}`,
      });
    }
    const inner = x.shape.slice(1);
    const width = sizeOf(inner);
    const out = allocate(call.backend, [segments, ...inner]);
    const from = wordOffset(call.backend, x);
    const ids = wordOffset(call.backend, segmentIds);
    const to = wordOffset(call.backend, out);
    const { HEAP32, HEAPF32 } = call.backend.wasm;
    HEAPF32.fill(0, to, to + segments * width);
    for (let row = 0; row < rows; row++) {
      const segment = HEAP32[ids + row] as number;
      if (segment < 0 || segment >= segments) continue;
      const source = from + row * width;
      const target = to + segment * width;
      for (let j = 0; j < width; j++) {
        HEAPF32[target + j] = (HEAPF32[target + j] as number) + (HEAPF32[source + j] as number);
      }
    }
    return out;
  },
};
