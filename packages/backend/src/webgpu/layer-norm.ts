import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { LAYER_NORM_BACKWARD, LAYER_NORM_FORWARD } from "../operations/layer-norm.ts";
import { inputOf, registerShaders, runShader, type Shader } from "./shader.ts";

/** Rows that are summed up by one thread, for the gradients of gain and offset. */
const BLOCK = 64;

const width = { width: "int32" } as const;

const MEANS: Shader = {
  name: "L0gmLayerNormMeans",
  inputs: ["x"],
  uniforms: width,
  code: `
    fn value(row : i32) -> f32 {
      var sum = 0.0;
      for (var i = row * uniforms.width; i < (row + 1) * uniforms.width; i++) { sum += x[i]; }
      return sum / f32(uniforms.width);
    }`,
};

const SCALES: Shader = {
  name: "L0gmLayerNormScales",
  inputs: ["x", "means"],
  uniforms: { ...width, epsilon: "float32" },
  code: `
    fn value(row : i32) -> f32 {
      let mean = means[row];
      var sum = 0.0;
      for (var i = row * uniforms.width; i < (row + 1) * uniforms.width; i++) { sum += (x[i] - mean) * (x[i] - mean); }
      return inverseSqrt(sum / f32(uniforms.width) + uniforms.epsilon);
    }`,
};

const NORMALISE: Shader = {
  name: LAYER_NORM_FORWARD,
  inputs: ["x", "gain", "bias", "means", "scales"],
  uniforms: width,
  code: `
    fn value(index : i32) -> f32 {
      let row = index / uniforms.width;
      let column = index % uniforms.width;
      return (x[index] - means[row]) * scales[row] * gain[column] + bias[column];
    }`,
};

/** Of each row, the mean of the gradient by the normalised x, and the mean of its product with the normalised x. */
const ROWS: Shader = {
  name: "L0gmLayerNormGradientRows",
  inputs: ["x", "gain", "means", "scales", "dy"],
  uniforms: width,
  code: `
    fn value(index : i32) -> f32 {
      let row = index / 2;
      let first = row * uniforms.width;
      var sum = 0.0;
      for (var i = 0; i < uniforms.width; i++) {
        let d = dy[first + i] * gain[i];
        sum += select(d, d * (x[first + i] - means[row]) * scales[row], index % 2 == 1);
      }
      return sum / f32(uniforms.width);
    }`,
};

const GRADIENT: Shader = {
  name: LAYER_NORM_BACKWARD,
  inputs: ["x", "gain", "means", "scales", "dy", "rows"],
  uniforms: width,
  code: `
    fn value(index : i32) -> f32 {
      let row = index / uniforms.width;
      let normalised = (x[index] - means[row]) * scales[row];
      let d = dy[index] * gain[index % uniforms.width];
      return scales[row] * (d - rows[2 * row] - normalised * rows[2 * row + 1]);
    }`,
};

/** The gradients of gain, then those of offset, summed over a block of rows: [2, blocks, width]. */
const BLOCKS: Shader = {
  name: "L0gmLayerNormGradientBlocks",
  inputs: ["x", "means", "scales", "dy"],
  uniforms: { ...width, height: "int32", blocks: "int32" },
  code: `
    fn value(index : i32) -> f32 {
      let column = index % uniforms.width;
      let block = index / uniforms.width % uniforms.blocks;
      let offset = index / uniforms.width / uniforms.blocks == 1;
      var sum = 0.0;
      for (var row = block * ${BLOCK}; row < min((block + 1) * ${BLOCK}, uniforms.height); row++) {
        let i = row * uniforms.width + column;
        sum += select(dy[i] * (x[i] - means[row]) * scales[row], dy[i], offset);
      }
      return sum;
    }`,
};

const TOTALS: Shader = {
  name: "L0gmLayerNormGradientTotals",
  inputs: ["partials"],
  uniforms: { ...width, blocks: "int32", which: "int32" },
  code: `
    fn value(column : i32) -> f32 {
      var sum = 0.0;
      for (var block = 0; block < uniforms.blocks; block++) {
        sum += partials[(uniforms.which * uniforms.blocks + block) * uniforms.width + column];
      }
      return sum;
    }`,
};

function sizesOf({ shape }: TensorInfo): { readonly width: number; readonly height: number } {
  const width = shape.at(-1) ?? 1;
  return { width, height: util.sizeFromShape(shape) / width };
}

/** Layer normalisation in three passes, and its gradients in five. */
export function registerLayerNorm(): void {
  registerShaders(LAYER_NORM_FORWARD, (call) => {
    const [x, gain, offset] = ["x", "gain", "offset"].map((name) => inputOf(call, name)) as [
      TensorInfo,
      TensorInfo,
      TensorInfo,
    ];
    const { backend, attrs } = call;
    const { width, height } = sizesOf(x);
    const means = runShader(backend, MEANS, [x], [height], { width });
    const scales = runShader(backend, SCALES, [x, means], [height], { width, epsilon: Number(attrs["epsilon"]) });
    const y = runShader(backend, NORMALISE, [x, gain, offset, means, scales], x.shape, { width });
    return [y, means, scales];
  });
  registerShaders(LAYER_NORM_BACKWARD, (call) => {
    const inputs = ["x", "gain", "means", "scales", "dy"].map((name) => inputOf(call, name));
    const [x, , means, scales, dy] = inputs as [TensorInfo, TensorInfo, TensorInfo, TensorInfo, TensorInfo];
    const { backend } = call;
    const { width, height } = sizesOf(x);
    const blocks = Math.ceil(height / BLOCK);
    const rows = runShader(backend, ROWS, inputs, [height, 2], { width });
    const dx = runShader(backend, GRADIENT, [...inputs, rows], x.shape, { width });
    const partials = runShader(backend, BLOCKS, [x, means, scales, dy], [2, blocks, width], { width, height, blocks });
    const totals = [0, 1].map((which) => runShader(backend, TOTALS, [partials], [width], { width, blocks, which }));
    for (const { dataId } of [rows, partials]) backend.disposeData(dataId);
    return [dx, ...totals];
  });
}
