import * as tf from "@tensorflow/tfjs-core";
import { L0gmError } from "../errors.ts";

/**
 * How many more tensors are alive after `step` than before it.
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { countTensors } from "@l0gm/core/testing";
 * await useBackend("cpu");
 * console.log(await countTensors(() => tf.zeros([2]))); // 1
 * ```
 */
export async function countTensors(step: () => unknown): Promise<number> {
  const before = tf.memory().numTensors;
  await step();
  return tf.memory().numTensors - before;
}

/**
 * Checks that the number of live tensors stays the same while `step` is repeated. The first call may leave tensors behind: an
 * optimizer, for example, makes its moments then.
 *
 * @param steps - repetitions after the first call
 * @throws L0gmError naming the first repetition after which more or fewer tensors were alive
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { expectNoLeak } from "@l0gm/core/testing";
 * await useBackend("cpu");
 * await expectNoLeak(() => tf.tidy(() => tf.zeros([2]).dataSync()));
 * ```
 */
export async function expectNoLeak(step: (index: number) => unknown, steps = 20): Promise<void> {
  await step(0);
  for (let i = 1; i <= steps; i++) {
    const change = await countTensors(() => step(i));
    if (change !== 0) {
      throw new L0gmError({
        where: "expectNoLeak",
        expected: "as many live tensors after a step as before it",
        received: `${change > 0 ? `${change} more` : `${-change} fewer`} after repetition ${i} of ${steps}`,
        hint: "wrap the step in tf.tidy, or dispose what it makes",
      });
    }
  }
}
