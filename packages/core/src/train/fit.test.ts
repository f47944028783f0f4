import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { path, penalty, targetFraction } from "../control/controllers.ts";
import { constant } from "../control/schedules.ts";
import { ConfigError, DataError, NumericalError, ShapeError } from "../errors.ts";
import { compact } from "../gate/compact.ts";
import { memoryFiles } from "../io/file-handler.ts";
import { accuracy, negativeLogLikelihood } from "../metrics/classification.ts";
import { arrayDataset } from "../model/array-dataset.ts";
import type { Dataset } from "../model/encoder.ts";
import { GatedClassifier, predict } from "../model/gated-classifier.ts";
import { layersEncoder } from "../model/layers-encoder.ts";
import { assignWeights, readWeights } from "../model/weights.ts";
import { Random, seedsFrom } from "../random.ts";
import { expectClose } from "../testing/index.ts";
import type { EpochRecord } from "./callbacks.ts";
import { type FitResult, fit } from "./fit.ts";
import type { FitOptions, TrainingData } from "./options.ts";

beforeAll(async () => {
  await useBackend(inject("backend"));
});

/** Two Gaussian clouds in 6 columns of which the first two matter. */
function clouds(rows: number, seed: number): Dataset<tf.Tensor2D> {
  const random = Random.from(seed, "clouds");
  const labels = Int32Array.from({ length: rows }, () => random.integer(2));
  const values = new Float32Array(rows * 6);
  for (let i = 0; i < values.length; i++) {
    const label = labels[Math.floor(i / 6)] ?? 0;
    values[i] = random.normal() + (i % 6 < 2 ? 2 * label - 1 : 0);
  }
  return arrayDataset(values, labels, 2);
}

const data: TrainingData<tf.Tensor2D> = { train: clouds(512, 1), validation: clouds(256, 2) };
const WIDTH = 16;

function encoder(): ReturnType<typeof layersEncoder> {
  const start = (seed: number): tf.Tensor =>
    tf.tensor2d(Random.from(seed, "initial").normals(6 * WIDTH, 0, 0.4), [6, WIDTH]);
  const dense = layers.dense({ units: WIDTH, inputShape: [6] });
  const model = sequential({ layers: [dense] });
  const kernel = start(3);
  dense.setWeights([kernel, tf.zeros([WIDTH])]);
  kernel.dispose();
  return layersEncoder(model);
}

const gated = (): GatedClassifier<tf.Tensor> => new GatedClassifier({ encoder: encoder(), classes: 2, seed: 5 });
const options = (more: Partial<FitOptions<tf.Tensor>> = {}): FitOptions<tf.Tensor> => ({
  epochs: 10,
  batchSize: 64,
  controller: targetFraction({ fraction: 1 / 4 }),
  weights: { learningRate: 0.02 },
  gates: { learningRate: 0.1 },
  seeds: seedsFrom(11),
  ...more,
});

describe("fit", () => {
  it("learns, and realises the requested fraction exactly", async () => {
    const model = gated();
    const result = await fit(model, data, options());
    expect(result.segments).toHaveLength(1);
    expect(result.segments[0].realised).toBe(1 / 4);
    expect(result.segments[0].gates.filter((value) => value > 0)).toHaveLength(4);
    expect(Math.min(...result.segments[0].gates.filter((value) => value > 0))).toBeGreaterThanOrEqual(0.5);
    expect(accuracy(await predict(model, data.validation))).toBeGreaterThan(0.88);
    const small = compact(model);
    expect(small.width).toBe(4);
    expect(accuracy(await predict(small, data.validation))).toBeGreaterThan(0.88);
    model.dispose();
  });

  it("records every epoch, gates first and consolidation last", async () => {
    const { history } = await fit(gated(), data, options());
    expect(history.map((record) => record.epoch)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const phases = history.map((record) => record.phase);
    expect(phases.lastIndexOf("gates")).toBeLessThan(phases.indexOf("consolidation"));
    expect(phases.at(-1)).toBe("consolidation");
    expect(history.at(-1)?.expected).toBe(1 / 4);
    expect(history.every((record) => record.openProbabilities.length === WIDTH)).toBe(true);
  });

  it("walks a path of nested fractions in one run", async () => {
    const fractions = [1, 0.5, 0.25, 0.125];
    const { segments } = await fit(gated(), data, options({ epochs: 16, controller: path({ fractions }) }));
    expect(segments.map((segment) => segment.realised)).toEqual(fractions);
    for (const [i, segment] of segments.entries()) {
      const before = segments[i - 1]?.gates;
      if (before !== undefined)
        expect(segment.gates.every((value, j) => value === 0 || (before[j] ?? 0) > 0)).toBe(true);
    }
  });

  it("closes more gates under a larger penalty", async () => {
    const realised = async (lambda: number): Promise<number> => {
      const { segments } = await fit(gated(), data, options({ controller: penalty(constant(lambda)) }));
      return segments[0].realised;
    };
    const [light, heavy] = [await realised(0), await realised(1)];
    expect(light).toBe(1);
    expect(heavy).toBeLessThan(0.7);
  });

  it("trains a dense model without a controller and reports it as fully active", async () => {
    const model = new GatedClassifier({ encoder: encoder(), classes: 2, gate: false });
    const { controller: _, ...rest } = options();
    const { segments, history } = await fit(model, data, rest);
    expect(segments[0]).toMatchObject({ expected: 1, realised: 1 });
    expect(history.every(({ phase }) => phase === "dense")).toBe(true);
  });

  it("averages gradients over batches, also over too few at the end of an epoch", async () => {
    const dense = (): GatedClassifier<tf.Tensor> =>
      new GatedClassifier({ encoder: encoder(), classes: 2, gate: false });
    const weights = async (more: Partial<FitOptions<tf.Tensor>>): Promise<Float32Array> => {
      const model = dense();
      const { controller: _, ...rest } = options({ epochs: 2, ...more });
      // A schedule is read at the last of a step's batches.
      const steady = { learningRate: 0.02, schedule: constant(1) };
      await fit(model, data, { ...rest, weights: steady, restore: "equalBudget" });
      return Float32Array.from([...(await readWeights(model)).values()].flatMap((values) => [...values]));
    };
    // 512 rows: 10 steps of 48 and one of 32, whether a step sees its rows at once, by halves or by thirds.
    const whole = await weights({ batchSize: 48 });
    expectClose(await weights({ batchSize: 24, accumulation: 2 }), whole, { absolute: 2e-6 });
    expectClose(await weights({ batchSize: 16, accumulation: 3 }), whole, { absolute: 2e-6 });
    expect(await weights({ batchSize: 24 })).not.toEqual(whole);
    await expect(weights({ accumulation: 1.5 })).rejects.toThrow(/fit\.accumulation/);
  });

  it("gives identical weights for identical seeds, and others for others", async () => {
    const run = async (seed: number): Promise<ReadonlyMap<string, Float32Array>> => {
      const model = gated();
      await fit(model, data, options({ epochs: 4, seeds: seedsFrom(seed) }));
      return readWeights(model);
    };
    const [first, second, third] = [await run(1), await run(1), await run(2)];
    expect(second).toEqual(first);
    expect(third).not.toEqual(first);
  });

  it.each([
    ["a target", () => targetFraction({ fraction: 1 / 4 })],
    ["a path", () => path({ fractions: [1, 0.5, 0.25] })],
  ])("resumes %s to the identical result, wherever it was stopped", async (_name, controller) => {
    const whole = gated();
    const expected = await fit(whole, data, options({ controller: controller() }));
    for (const stop of [0, 3, 6, 7]) {
      const handler = memoryFiles();
      const abort = new AbortController();
      const stopAt = { onEpochEnd: ({ epoch }: EpochRecord) => (epoch === stop + 1 ? abort.abort() : undefined) };
      const halted = fit(
        gated(),
        data,
        options({
          controller: controller(),
          checkpoint: { handler, every: 2 },
          signal: abort.signal,
          callbacks: [stopAt],
        }),
      );
      await expect(halted).rejects.toMatchObject({ name: "AbortError" });
      const resumed = gated();
      const result = await fit(resumed, data, options({ controller: controller(), checkpoint: { handler, every: 2 } }));
      expect(result).toEqual(expected);
      expect(await readWeights(resumed)).toEqual(await readWeights(whole));
    }
  });

  it("returns a finished run from its checkpoint without training", async () => {
    const handler = memoryFiles();
    const result = await fit(gated(), data, options({ checkpoint: { handler } }));
    let steps = 0;
    const count = { onStepEnd: () => void steps++ };
    expect(await fit(gated(), data, options({ checkpoint: { handler }, callbacks: [count] }))).toEqual(result);
    expect(steps).toBe(0);
  });

  it("refuses a checkpoint of a run with other options", async () => {
    const handler = memoryFiles();
    await fit(gated(), data, options({ epochs: 2, checkpoint: { handler } }));
    await expect(fit(gated(), data, options({ epochs: 4, checkpoint: { handler } }))).rejects.toThrow(/another run/);
    const other = new GatedClassifier({ encoder: encoder(), classes: 2, seed: 5, gate: { noise: "row" } });
    await expect(fit(other, data, options({ epochs: 2, checkpoint: { handler } }))).rejects.toThrow(/another run/);
  });

  it("refuses a checkpoint of a run with another encoder, and says what differs", async () => {
    const run = { epochs: 2, checkpoint: { handler: memoryFiles() } };
    const described = (pooling?: string): GatedClassifier<tf.Tensor> => {
      const { describe: _, ...plain } = encoder();
      const describe = () => ({ kind: "test", config: { heads: [[0, 1]], pooling } });
      return new GatedClassifier({
        encoder: pooling === undefined ? plain : { ...plain, describe },
        classes: 2,
        seed: 5,
      });
    };
    const whole = await fit(described("mean"), data, options(run));
    await expect(fit(described("cls"), data, options(run))).rejects.toThrow(
      /a run with encoder\.config\.pooling "cls", received one of another run, with encoder\.config\.pooling "mean"/,
    );
    await expect(fit(described(), data, options(run))).rejects.toThrow(
      /a run with encoder not given, received .*"test"/,
    );
    expect(await fit(described("mean"), data, options(run))).toEqual(whole);
    const undescribed = { epochs: 2, checkpoint: { handler: memoryFiles() } };
    expect(await fit(described(), data, options(undescribed))).toEqual(whole);
    expect(await fit(described(), data, options(undescribed))).toEqual(whole);
  });

  it("refuses a checkpoint of a path with another dual step", async () => {
    const handler = memoryFiles();
    const walk = (dualStep: number): Promise<FitResult> => {
      const controller = path({ fractions: [1, 0.5], dualStep });
      return fit(gated(), data, options({ epochs: 4, controller, checkpoint: { handler } }));
    };
    await walk(0.05);
    await expect(walk(0.5)).rejects.toThrow(/another run/);
  });

  it("stops a segment early and keeps its best epoch", async () => {
    const { history, segments } = await fit(
      gated(),
      data,
      options({ epochs: 40, earlyStopping: { patience: 2, minimumDelta: 0.05 } }),
    );
    expect(history.length).toBeLessThan(40);
    const frozen = history.filter(({ phase }) => phase === "consolidation");
    const best = frozen.reduce((a, b) => (b.validationNll < a.validationNll ? b : a));
    expect(segments[0].bestValidation).toMatchObject({ epoch: best.epoch, validationNll: best.validationNll });
    expect(segments[0].equalBudget.epoch).toBe(history.at(-1)?.epoch);
  });

  it("names the step and the tensor when a number is not finite", async () => {
    const poisoned = arrayDataset(new Float32Array(6 * 64).fill(Number.NaN), new Int32Array(64), 2);
    const run = fit(gated(), { ...data, train: poisoned }, options());
    await expect(run).rejects.toThrow(NumericalError);
    await expect(run).rejects.toThrow(/step 0 .*encoder\/layer\d\/kernel/s);
  });

  it("reports a collapse instead of passing over it", async () => {
    const { warnings, segments } = await fit(
      gated(),
      data,
      options({ controller: penalty(constant(50)), gates: { learningRate: 1 } }),
    );
    expect(segments[0].realised).toBe(0);
    expect(warnings.join("\n")).toMatch(/collapse/);
  });

  it("keeps a warning with the segment that gave it", async () => {
    // Between two segments the pressure has no time to do anything.
    const controller = path({ fractions: [1, 1 / 8], dualStep: 1e-6, firstShare: 4 });
    const { warnings, segments } = await fit(gated(), data, options({ controller }));
    expect(segments.map((segment) => segment.warnings.length)).toEqual([0, 2]);
    expect(segments[1]?.warnings.join("\n")).toMatch(/gates frozen in epoch 9 at 0\.125 while/);
    expect(warnings).toEqual(segments[1]?.warnings);
  });

  it("says when the rule keeps far more dimensions than were expected", async () => {
    const { warnings, segments } = await fit(
      gated(),
      data,
      options({ controller: penalty(constant(5)), gates: { learningRate: 0.03 }, epochs: 8 }),
    );
    expect(segments[0]).toMatchObject({ realised: 1 });
    expect(segments[0].expected).toBeLessThan(0.75);
    expect(warnings.join("\n")).toMatch(/the mean rule keeps 1\.000 of the dimensions while 0\.\d{3} was expected/);
  });

  it("names the weight that the last step of an epoch drove to infinity", async () => {
    const wild = { learningRate: 1e38, schedule: constant(1) };
    const run = fit(gated(), data, options({ weights: wild, batchSize: 512, epochs: 2 }));
    await expect(run).rejects.toThrow(NumericalError);
    await expect(run).rejects.toThrow(/step \d.*not finite/s);
  });

  it.each<[string, (labels: Int32Array) => Int32Array, new (...details: never[]) => Error]>([
    ["that are no class", (labels) => labels.map((label) => label + 1), DataError],
    ["that are negative", (labels) => labels.map((label) => label - 1), DataError],
    ["of fewer rows", (labels) => labels.slice(1), ShapeError],
    ["of more rows", (labels) => Int32Array.of(0, ...labels), ShapeError],
  ])("refuses training labels %s", async (_name, change, refusal) => {
    const train: Dataset<tf.Tensor2D> = {
      ...data.train,
      async *batches(size, shuffle) {
        for await (const { inputs, labels } of data.train.batches(size, shuffle))
          yield { inputs, labels: change(labels) };
      },
    };
    await expect(fit(gated(), { ...data, train }, options())).rejects.toThrow(refusal);
  });

  it("refuses before the first step what the gates cannot fill", async () => {
    let steps = 0;
    const count = { callbacks: [{ onStepEnd: () => void steps++ }] };
    const refit = gated();
    await refit.gate?.freeze([0, 1, 2]);
    await expect(fit(refit, data, options(count))).rejects.toThrow(/expected 4 dimensions.*not shut, received 3/);
    const groups = Array.from({ length: WIDTH }, (_, j) => Math.floor(j / 8));
    const coarse = new GatedClassifier({ encoder: encoder(), classes: 2, gate: { groups } });
    await expect(fit(coarse, data, options(count))).rejects.toThrow(/a group of at most 4 dimensions/);
    expect(steps).toBe(0);
  });

  it("says when gates were fixed before, and when groups do not fill the budget", async () => {
    const fixed = gated();
    await fixed.gate?.freeze([1, 3, 5, 7]);
    const { segments, warnings } = await fit(fixed, data, options({ epochs: 2 }));
    expect(segments[0].gates.flatMap((value, j) => (value > 0 ? [j] : []))).toEqual([1, 3, 5, 7]);
    expect(warnings.join()).toMatch(/all gates were fixed before training/);
    const groups = Array.from({ length: WIDTH }, (_, j) => Math.min(4, Math.floor(j / 3)));
    const model = new GatedClassifier({ encoder: encoder(), classes: 2, gate: { groups } });
    const uneven = await fit(model, data, options({ epochs: 4, controller: targetFraction({ fraction: 5 / 16 }) }));
    expect(uneven.segments[0].realised).toBeLessThan(5 / 16);
    expect(uneven.warnings.join()).toMatch(/of 5 dimensions stay/);
  });

  it("leaves no tensor behind when an option or a callback fails", async () => {
    const model = gated();
    const before = tf.memory().numTensors;
    const fail = (): never => {
      throw new Error("no");
    };
    for (const wrong of [
      { gates: { beta1: 2 } },
      { weights: { decay: -1 } },
      { callbacks: [{ onStepEnd: fail }] },
      { callbacks: [{ onEpochEnd: fail }] },
    ]) {
      await expect(fit(model, data, options(wrong))).rejects.toThrow();
      expect(tf.memory().numTensors).toBe(before);
    }
  });

  it("leaks no tensor over 200 steps", async () => {
    const model = gated();
    await fit(model, data, options({ epochs: 2 }));
    const before = tf.memory().numTensors;
    await fit(model, data, options({ epochs: 25, accumulation: 3 }));
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([
    ["no controller for a gate", { controller: undefined }],
    ["no whole batch size", { batchSize: 1.5 }],
    ["too few epochs", { epochs: 1 }],
    ["a fraction of no dimension", { controller: targetFraction({ fraction: 0.01 }) }],
    ["a learning rate of 0", { weights: { learningRate: 0 } }],
    ["an unknown protocol", { restore: "best" as "bestValidation" }],
    ["no epochs between checkpoints", { checkpoint: { handler: memoryFiles(), every: 0 } }],
  ])("refuses %s", async (_name, wrong) => {
    const { controller, ...rest } = { ...options(), ...wrong };
    const run = fit(gated(), data, controller === undefined ? rest : { ...rest, controller });
    await expect(run).rejects.toThrow(ConfigError);
  });
});

describe("fit on the WebAssembly kernels, where weights change in place", () => {
  beforeAll(async () => {
    await useBackend("wasm");
  });
  afterAll(async () => {
    await useBackend(inject("backend"));
  });

  it("resumes to the identical result, and its protocols keep the weights of their epochs", async () => {
    const expected = await fit(gated(), data, options());
    const [handler, abort] = [memoryFiles(), new AbortController()];
    const stop = { onEpochEnd: ({ epoch }: EpochRecord) => (epoch === 8 ? abort.abort() : undefined) };
    const checkpoint = { handler, every: 2 };
    const halted = fit(gated(), data, options({ checkpoint, signal: abort.signal, callbacks: [stop] }));
    await expect(halted).rejects.toMatchObject({ name: "AbortError" });
    const resumed = gated();
    expect(await fit(resumed, data, options({ checkpoint }))).toEqual(expected);
    for (const protocol of ["equalBudget", "bestValidation"] as const) {
      const { weights, validationNll } = expected.segments[0][protocol];
      assignWeights(resumed, weights);
      expect(negativeLogLikelihood(await predict(resumed, data.validation))).toBe(validationNll);
    }
  });

  it("trains as on plain operations, up to rounding", async () => {
    const train = async (): Promise<EpochRecord[]> => [...(await fit(gated(), data, options({ epochs: 4 }))).history];
    const fused = await train();
    await useBackend("cpu");
    const plain = await train();
    await useBackend("wasm");
    for (const key of ["trainLoss", "validationNll", "expected"] as const) {
      expectClose(
        fused.map((record) => record[key]),
        plain.map((record) => record[key]),
        { absolute: 1e-4 },
      );
    }
  });

  it("leaks no tensor, and names the tensor of a number that is not finite", async () => {
    const model = gated();
    await fit(model, data, options({ epochs: 2 }));
    const before = tf.memory().numTensors;
    await fit(model, data, options({ epochs: 6 }));
    const poisoned = arrayDataset(new Float32Array(6 * 64).fill(Number.NaN), new Int32Array(64), 2);
    const run = fit(model, { ...data, train: poisoned }, options());
    await expect(run).rejects.toThrow(/step 0 .*encoder\/layer\d\/kernel/s);
    expect(tf.memory().numTensors).toBe(before);
  });
});
