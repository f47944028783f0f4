import { EVALUATION } from "@l0gm/core";
import * as tf from "@tensorflow/tfjs-core";
import type { CsrArrays } from "./csr.ts";
import { gatherRows } from "./gather-rows.ts";
import type { GraphStage } from "./graph-trunk.ts";
import { partOf } from "./neighborhood.ts";

/** How far an inference over many nodes is. */
export interface InferenceProgress {
  /** Entries of the graph that messages passed over, all layers together. */
  readonly done: number;
  readonly total: number;
}

/** How an inference goes over its nodes. */
export interface LayerWiseOptions {
  /**
   * Entries of the graph at a time: bounds the memory of the backend, at most `chunk * width` numbers a few times over. A node with more
   * neighbours goes alone. @defaultValue 2^19
   */
  readonly chunk?: number;
  readonly onProgress?: (progress: InferenceProgress) => void;
}

const CHUNK = 2 ** 19;

/** Row-major numbers in host memory. */
export interface HostMatrix {
  readonly values: Float32Array;
  readonly width: number;
}

/**
 * Applies layer after layer to all rows of its block, some at a time, and keeps what comes out in host memory: two layers' numbers at
 * once, three where one transforms its nodes first.
 *
 * @param blocks - one a stage; the rows of one are the columns of the next, and its first columns
 * @param features - `[columns of the first block, width]`
 * @returns `[rows of the last block, width of the last stage]`
 */
export function applyLayerWise(
  stages: readonly GraphStage[],
  blocks: readonly CsrArrays[],
  features: HostMatrix,
  { chunk = CHUNK, onProgress }: LayerWiseOptions = {},
): Float32Array {
  const total = blocks.reduce((sum, { neighbors }) => sum + neighbors.length, 0);
  let before = 0;
  let x = features;
  for (const [layer, stage] of stages.entries()) {
    const block = blocks[layer] as CsrArrays;
    const values = applyStage(stage, block, x, chunk, (entries) => {
      onProgress?.({ done: before + entries, total });
    });
    before += block.neighbors.length;
    x = { values, width: stage.width };
  }
  return x.values;
}

function applyStage(
  stage: GraphStage,
  block: CsrArrays,
  x: HostMatrix,
  chunk: number,
  onEntries: (done: number) => void,
): Float32Array {
  const sent = stage.transform === undefined ? x : transformed(stage.transform, x, chunk);
  const y = new Float32Array(block.rows * stage.width);
  const places = new Int32Array(block.columns).fill(-1);
  // One array for all chunks: to be given memory that was never touched takes longer than to fill it.
  let room = new Float32Array(0);
  const gather = (ids: Int32Array): Float32Array => {
    const length = ids.length * sent.width;
    if (room.length < length) room = new Float32Array(Math.ceil(1.25 * length));
    return gatherRows(sent.values, sent.width, ids, room.subarray(0, length));
  };
  for (let start = 0; start < block.rows; ) {
    const end = endOfChunk(block, start, chunk);
    tf.tidy(() => {
      const whole = start === 0 && end === block.rows;
      const rows = Int32Array.from({ length: end - start }, (_, i) => start + i);
      const cut = whole ? undefined : partOf(block, rows, NONE, places);
      const sources = cut === undefined ? sent.values : gather(cut.columns);
      const messages = {
        graph: cut?.part ?? block,
        sources: tf.tensor2d(sources, [sources.length / sent.width, sent.width], "float32"),
        own: rowsBetween(sent, start, end),
        context: EVALUATION,
      };
      y.set(stage.apply(messages, rowsBetween(x, start, end)).dataSync<"float32">(), start * stage.width);
    });
    onEntries(block.offsets[end] as number);
    start = end;
  }
  return y;
}

const NONE = new Int32Array(0);

/** The row after the last that fits. */
function endOfChunk({ rows, offsets }: CsrArrays, start: number, chunk: number): number {
  const most = (offsets[start] as number) + chunk;
  let end = start + 1;
  // Rows without entries cost memory as well.
  while (end < rows && end - start < chunk && (offsets[end + 1] as number) <= most) end++;
  return end;
}

function rowsBetween({ values, width }: HostMatrix, start: number, end: number): tf.Tensor2D {
  return tf.tensor2d(values.subarray(start * width, end * width), [end - start, width], "float32");
}

function transformed(transform: NonNullable<GraphStage["transform"]>, x: HostMatrix, chunk: number): HostMatrix {
  const rows = x.values.length / x.width;
  let y: HostMatrix | undefined;
  for (let start = 0; start < rows; start += chunk) {
    // The array leaves the tidy by assignment: tfjs would look for tensors among the numbers of one that is returned.
    tf.tidy(() => {
      const z = transform(rowsBetween(x, start, Math.min(rows, start + chunk)));
      const width = z.shape[1];
      y ??= { values: new Float32Array(rows * width), width };
      y.values.set(z.dataSync<"float32">(), start * width);
    });
  }
  return y ?? { values: new Float32Array(0), width: 1 };
}
