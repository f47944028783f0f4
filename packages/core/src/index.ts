/**
 * L0-gated representations in TensorFlow.js: gates, control of the active fraction, training, calibration, frontiers, compaction
 * and saving. Knows tensors and numbers, never a modality.
 *
 * @packageDocumentation
 */

export {
  type BackendAttempt,
  type BackendChoice,
  type BackendName,
  type BackendOptions,
  type BackendReport,
  useBackend,
} from "@l0gm/backend";
export {
  type Controller,
  type Observation,
  type PathOptions,
  type PenaltyOptions,
  path,
  penalty,
  type Segment,
  type TargetOptions,
  targetFraction,
} from "./control/controllers.ts";
export {
  constant,
  cosine,
  cubic,
  exponential,
  holdAtEnd,
  linear,
  rampUp,
  type Schedule,
  warmUp,
} from "./control/schedules.ts";
export {
  ConfigError,
  DataError,
  type ErrorDetails,
  FormatError,
  L0gmError,
  NumericalError,
  ShapeError,
} from "./errors.ts";
export {
  budgetOf,
  frozenValues,
  type GateHealth,
  type GateState,
  gateHealth,
  gatesOpenByRule,
  LIVE,
  MINIMUM_OPEN_VALUE,
  strongestGates,
} from "./gate/budget.ts";
export { CompactModel, compact, type Saving, type Savings } from "./gate/compact.ts";
export { type GateOptions, HardConcreteGate } from "./gate/gate-layer.ts";
export {
  deterministicGate,
  type EvaluationRule,
  expectedL0,
  gateValue,
  type HardConcreteParams,
  hardConcreteParams,
  LOG_ALPHA_LIMIT,
  logAlphaFor,
  NOISE_MARGIN,
  openProbability,
  openProbabilityOf,
  sampleGate,
  saturatedProbabilityOf,
} from "./gate/hard-concrete.ts";
export { compareLatency, type Latency, type LatencyOptions } from "./gate/latency.ts";
export { type FileHandler, type FileSource, memoryFiles, urlFiles } from "./io/file-handler.ts";
export { fromHalves, toHalves } from "./io/half.ts";
export type { Manifest, ManifestGate, SaveInfo } from "./io/manifest.ts";
export {
  decodeSafetensors,
  encodeSafetensors,
  type SafeTensor,
  type Safetensors,
  type StoredTensor,
} from "./io/safetensors.ts";
export { load, readManifest, save } from "./io/save-load.ts";
export { sha256 } from "./io/sha256.ts";
export { type BrierDecomposition, brierDecomposition } from "./metrics/brier-decomposition.ts";
export {
  type BinaryCalibrationOptions,
  type BinningOptions,
  binaryCalibrationError,
  type CalibrationOptions,
  calibrationError,
  type ReliabilityBin,
  reliabilityCurve,
} from "./metrics/calibration.ts";
export {
  accuracy,
  auroc,
  averagePrecision,
  brierScore,
  confusionMatrix,
  macroF1,
  negativeLogLikelihood,
} from "./metrics/classification.ts";
export { hypervolume, paretoFrontier, type TradeOff, type TradeOffAxes } from "./metrics/frontier.ts";
export {
  type BootstrapInterval,
  type BootstrapOptions,
  type MeanInterval,
  meanInterval,
  pairedBootstrap,
  pairedDifference,
} from "./metrics/intervals.ts";
export { type Predictions, probabilities } from "./metrics/predictions.ts";
export { type SmoothCalibrationOptions, smoothCalibrationError } from "./metrics/smooth-calibration.ts";
export { applyTemperature, fitTemperature, TEMPERATURE_LIMITS } from "./metrics/temperature.ts";
export { arrayDataset } from "./model/array-dataset.ts";
export type {
  Dataset,
  EncodeContext,
  Encoder,
  EncoderCost,
  EncoderDescription,
  LabelledBatch,
  Linear,
  NamedVariable,
  Parameter,
} from "./model/encoder.ts";
export { type EncoderFactory, rebuildEncoder, registerEncoder } from "./model/encoder-registry.ts";
export {
  type Batches,
  EVALUATION,
  type ForwardContext,
  GatedClassifier,
  type GatedClassifierOptions,
  type PredictOptions,
  predict,
} from "./model/gated-classifier.ts";
export { layersEncoder } from "./model/layers-encoder.ts";
export { Projection, type ProjectionOptions } from "./model/projection.ts";
export { assignWeights, readWeights, type Weights } from "./model/weights.ts";
export { Random, type Seeds, type StreamName, seedsFrom } from "./random.ts";
export { stratifiedSplit } from "./stratified-split.ts";
export { AdamW, type AdamWOptions } from "./train/adamw.ts";
export type { Callback, EpochRecord, Phase } from "./train/callbacks.ts";
export type { CheckpointOptions } from "./train/checkpoint.ts";
export { type FitResult, fit } from "./train/fit.ts";
export type { FitOptions, OptimizerOptions, Protocol, TrainingData } from "./train/options.ts";
export type { ProtocolResult, SegmentResult } from "./train/state.ts";
export { VERSION } from "./version.ts";
