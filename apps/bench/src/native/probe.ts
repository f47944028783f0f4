/**
 * Starts native TensorFlow as the bench sees it and prints what it is. A process of its own: a library that is broken can end it, and one
 * that was built meanwhile is looked for anew.
 */
import { useBackend } from "@l0gm/backend";
import { matMul, ones, tidy } from "@tensorflow/tfjs-core";

try {
  const { kernels } = await useBackend("tensorflow");
  const product = tidy(() => matMul(ones([2, 3]), ones([3, 2])).dataSync());
  if (!product.every((value) => value === 3)) throw new Error(`a product came out as ${product}`);
  console.log(JSON.stringify({ about: kernels.reason }));
} catch (error) {
  console.log(JSON.stringify({ failure: error instanceof Error ? error.message : String(error) }));
}
