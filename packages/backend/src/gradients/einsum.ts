import { broadcastTo, Einsum, einsum, type GradConfig, reshape, sum, type Tensor } from "@tensorflow/tfjs-core";

/**
 * The gradient of one operand: the result's gradient times the other operand, summed over the labels that the operand does not have. A
 * label that only this operand has was summed, so along it the gradient is the same everywhere.
 *
 * @param labels - of the operand, the other one if there is one, and the result
 */
function operandGradient(dy: Tensor, x: Tensor, labels: string, result: string, other?: Other): Tensor {
  const known = result + (other?.labels ?? "");
  const kept = [...labels].filter((label) => known.includes(label)).join("");
  let gradient = dy;
  if (other !== undefined) {
    // A label that the other operand alone has is summed by hand: tfjs's cpu kernel does not.
    const used = [...other.labels].filter((label) => result.includes(label) || labels.includes(label));
    const axes = [...other.labels].flatMap((label, axis) => (used.includes(label) ? [] : [axis]));
    gradient = einsum(
      `${result},${used.join("")}->${kept}`,
      dy,
      axes.length === 0 ? other.tensor : sum(other.tensor, axes),
    );
  }
  if (other === undefined && result !== kept) gradient = einsum(`${result}->${kept}`, dy);
  if (kept === labels) return gradient;
  const shape = x.shape.map((length, axis) => (kept.includes(labels[axis] ?? "") ? length : 1));
  return broadcastTo(reshape(gradient, shape), x.shape);
}

interface Other {
  readonly labels: string;
  readonly tensor: Tensor;
}

/** Sums of products along named axes, of the one or two operands that tfjs takes. */
export const einsumGradient: GradConfig = {
  kernelName: Einsum,
  saveAllInputs: true,
  gradFunc(dy, saved, attrs) {
    const [operands = "", result = ""] = String(attrs["equation"]).replaceAll(/\s/g, "").split("->");
    const labels = operands.split(",");
    return Object.fromEntries(
      saved.map((x, i) => {
        const tensor = saved[1 - i];
        const other = tensor === undefined ? undefined : { labels: labels[1 - i] ?? "", tensor };
        return [i, () => operandGradient(dy as Tensor, x, labels[i] ?? "", result, other)];
      }),
    );
  },
};
