import { BackendError } from "../errors.ts";
import { input, type Kernel } from "./kernel.ts";
import { addressOf, allocate, sizeOf } from "./memory.ts";
import { SEGMENT_SUM } from "./tasks.ts";

/** Additions that are worth a second thread. */
const SHARED_WORK = 2 ** 16;

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
    const addresses = [x, segmentIds, out].map((tensor) => addressOf(call.backend, tensor));
    // Every chunk reads all ids: one a thread, and one in all where there is little to add.
    const grain = rows * width < SHARED_WORK ? segments : segments / call.assembly.threads;
    call.assembly.run(SEGMENT_SUM, segments, grain, ...addresses, rows, width);
    return out;
  },
};
