/** The models of workloads.ts by name, apart from it for those who must not load TensorFlow.js. */
export const MODEL_NAMES = ["mlp", "featureTransformer", "transformer", "trees", "graphs"] as const;

export type ModelName = (typeof MODEL_NAMES)[number];
