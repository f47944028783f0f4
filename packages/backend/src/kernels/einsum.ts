import { backend_util, matMul, mul, reshape, sum, type Tensor, tidy, transpose } from "@tensorflow/tfjs-core";
import type { Kernel } from "./kernel.ts";

/** A tensor and the number of the label of each of its axes. */
interface Operand {
  readonly tensor: Tensor;
  readonly labels: readonly number[];
}

function sameOrder(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((label, i) => label === b[i]);
}

function sumOver({ tensor, labels }: Operand, summed: ReadonlySet<number>): Operand {
  const axes = [...labels.keys()].filter((axis) => summed.has(labels[axis] ?? -1));
  if (axes.length === 0) return { tensor, labels };
  return { tensor: sum(tensor, axes), labels: labels.filter((label) => !summed.has(label)) };
}

function inOrder({ tensor, labels }: Operand, order: readonly number[]): Tensor {
  if (sameOrder(labels, order)) return tensor;
  const axes = order.map((label) => labels.indexOf(label));
  // The stock backend's transposition fails where there is nothing to move.
  if (tensor.size > 0) return transpose(tensor, axes);
  return reshape(
    tensor,
    axes.map((axis) => tensor.shape[axis] ?? 0),
  );
}

/** A batch of matrices; where they lie transposed already, they are not moved. */
function asMatrices(
  operand: Operand,
  lengths: readonly number[],
  [batch, rows, columns]: readonly [number[], number[], number[]],
): { readonly matrices: Tensor; readonly transposed: boolean } {
  const size = (labels: readonly number[]): number =>
    labels.reduce((product, label) => product * (lengths[label] ?? 1), 1);
  const transposed = sameOrder(operand.labels, [...batch, ...columns, ...rows]);
  const [first, second] = transposed ? [columns, rows] : [rows, columns];
  const tensor = inOrder(operand, [...batch, ...first, ...second]);
  return { matrices: reshape(tensor, [size(batch), size(first), size(second)]), transposed };
}

function productOf(a: Operand, b: Operand, result: readonly number[], lengths: readonly number[]): Operand {
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => result.includes(label));
  const inner = shared.filter((label) => !result.includes(label));
  const left = a.labels.filter((label) => !shared.includes(label));
  const right = b.labels.filter((label) => !shared.includes(label));
  const labels = [...batch, ...left, ...right];
  const shape = labels.map((label) => lengths[label] ?? 1);
  if (inner.length === 0 || a.tensor.dtype !== "float32" || b.tensor.dtype !== "float32") {
    // Without a sum there is no product of matrices in it, and the backend multiplies matrices of floats only.
    const every = [...labels, ...inner];
    const along = (own: readonly number[]): number[] =>
      every.map((label) => (own.includes(label) ? (lengths[label] ?? 1) : 1));
    const x = reshape(inOrder(a, [...batch, ...left, ...inner]), along(a.labels));
    const y = reshape(inOrder(b, [...batch, ...right, ...inner]), along(b.labels));
    return sumOver({ tensor: mul(x, y), labels: every }, new Set(inner));
  }
  const x = asMatrices(a, lengths, [batch, left, inner]);
  const y = asMatrices(b, lengths, [batch, inner, right]);
  return { tensor: reshape(matMul(x.matrices, y.matrices, x.transposed, y.transposed), shape), labels };
}

/**
 * Sums of products along named axes; the stock backend has none. One operand is summed and transposed, two are a batch of products of
 * matrices. Made of tfjs's operations, which inside a kernel are not recorded for gradients.
 */
export const einsum: Kernel = {
  name: "Einsum",
  added: true,
  run(call) {
    const tensors = Object.values(call.inputs) as Tensor[];
    const equation = String(call.attrs["equation"]);
    // Labels are numbered: first those of the result, in its order, then those that are summed.
    const { allDims, summedDims, idDims } = backend_util.decodeEinsumEquation(equation, tensors.length);
    backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors);
    const result = [...allDims.keys()].slice(0, allDims.length - summedDims.length);
    const lengths: number[] = [];
    tensors.forEach(({ shape }, k) => {
      shape.forEach((length, axis) => {
        lengths[idDims[k]?.[axis] ?? -1] = length;
      });
    });
    return tidy(() => {
      const [a, b] = tensors.map((tensor, k): Operand => {
        const labels = idDims[k] ?? [];
        const others = idDims.filter((_, other) => other !== k).flat();
        return sumOver({ tensor, labels }, new Set(summedDims.filter((label) => !others.includes(label))));
      });
      if (a === undefined) throw new TypeError("einsum has no operand");
      return inOrder(b === undefined ? a : productOf(a, b, result, lengths), result);
    });
  },
};
