import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { type LayersModel, layers, loadLayersModel, type Sequential, sequential } from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { ConfigError, ShapeError } from "../errors.ts";
import { Random } from "../random.ts";
import { expectClose, expectNoLeak } from "../testing/index.ts";
import { LIVE, MINIMUM_OPEN_VALUE } from "./budget.ts";
import { type GateOptions, HardConcreteGate } from "./gate-layer.ts";
import { gateValue, logAlphaFor, openProbabilityOf } from "./hard-concrete.ts";

beforeAll(() => useBackend(inject("backend")));

function built(width: number, options: GateOptions = {}): HardConcreteGate {
  const gate = new HardConcreteGate(options);
  gate.build([null, width]);
  return gate;
}

function assign(gate: HardConcreteGate, logAlpha: readonly number[]): void {
  tf.tidy(() => gate.logAlpha.assign(tf.tensor1d([...logAlpha])));
}

const numbers = async (tensor: tf.Tensor): Promise<number[]> => [...(await tensor.data<"float32">())];

describe("in tf.sequential", () => {
  const inputs = (): tf.Tensor2D => tf.tensor2d(Random.from(1).normals(64 * 4), [64, 4]);
  const targets = (): tf.Tensor2D => tf.tidy(() => tf.slice2d(inputs(), [0, 0], [64, 1]));

  function network(options: GateOptions, trainable = true): { model: Sequential; gate: HardConcreteGate } {
    const gate = new HardConcreteGate({ seed: 5, ...options });
    const seeded = (units: number, extra: object = {}): ReturnType<typeof layers.dense> =>
      layers.dense({ units, kernelInitializer: "ones", trainable, ...extra });
    const model = sequential({ layers: [seeded(8, { inputShape: [4] }), gate, seeded(1)] });
    model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
    return { model, gate };
  }

  async function lossOfOneBatch({ model }: { model: Sequential }): Promise<number> {
    const history = await model.fit(inputs(), targets(), { epochs: 1, batchSize: 64, shuffle: false, verbose: 0 });
    return Number(history.history["loss"]?.[0]);
  }

  test("fit sees the penalty: the loss rises by penalty times the expected fraction", async () => {
    const gated = network({ penalty: 3 });
    const expected = (await gated.gate.expectedFraction().data())[0] ?? Number.NaN;
    const difference = (await lossOfOneBatch(gated)) - (await lossOfOneBatch(network({ penalty: 0 })));
    expectClose([difference], [3 * expected], { absolute: 1e-4 });
  });

  test("fit lowers the expected fraction under a penalty, and not without one", async () => {
    const train = async (penalty: number): Promise<number> => {
      const { model, gate } = network({ penalty }, false);
      model.compile({ optimizer: tf.train.adam(0.1), loss: () => tf.scalar(0) });
      await model.fit(inputs(), targets(), { epochs: 20, batchSize: 32, verbose: 0 });
      return (await gate.expectedFraction().data())[0] ?? Number.NaN;
    };
    expect(await train(1)).toBeLessThan(0.3);
    expectClose([await train(0)], [0.9], { absolute: 5e-3 });
  });

  test("prediction uses deterministic gates, training sampled ones", async () => {
    const gate = built(3, { seed: 2 });
    const x = tf.ones<tf.Rank.R2>([1, 3]);
    const once = await numbers(gate.apply(x) as tf.Tensor);
    expect(await numbers(gate.apply(x) as tf.Tensor)).toEqual(once);
    const sampled = await numbers(gate.apply(x, { training: true }) as tf.Tensor);
    expect(await numbers(gate.apply(x, { training: true }) as tf.Tensor)).not.toEqual(sampled);
    expectClose(
      once,
      [...(await gate.logAlpha.data())].map((a) => gateValue(a)),
    );
  });

  test("identical seeds train to identical weights, others to others", async () => {
    const train = async (seed: number): Promise<number[]> => {
      const { model } = network({ penalty: 0.1, seed });
      await model.fit(inputs(), targets(), { epochs: 2, batchSize: 16, shuffle: false, verbose: 0 });
      return (await Promise.all(model.getWeights().map(numbers))).flat();
    };
    const first = await train(5);
    expect(await train(5)).toEqual(first);
    expect(await train(6)).not.toEqual(first);
  });

  async function reloaded(model: LayersModel): Promise<LayersModel> {
    let artifacts: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler(async (saved) => {
        artifacts = saved;
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
      }),
    );
    if (artifacts === undefined) throw new Error("nothing was saved");
    // Through JSON, as a file would.
    const topology: unknown = JSON.parse(JSON.stringify(artifacts.modelTopology));
    return loadLayersModel(tf.io.fromMemory({ ...artifacts, modelTopology: topology as object }));
  }

  test.each([false, true])("is saved and reloaded with its model (frozen: %s)", async (frozen) => {
    const { model, gate } = network({
      penalty: 0.5,
      groups: [0, 0, 1, 1, 2, 2, 3, 3],
      costs: [1, 2, 3, 4],
      rule: "median",
      noise: "row",
      temperature: 0.5,
      name: "gate",
    });
    assign(gate, [2, -1, 1, -3]);
    if (frozen) await gate.freeze([0, 2]);
    const copy = await reloaded(model);
    const loadedGate = copy.getLayer("gate");
    if (!(loadedGate instanceof HardConcreteGate)) throw new Error("not a gate");
    expect(loadedGate.options).toEqual(gate.options);
    expect(await loadedGate.state()).toEqual(await gate.state());
    expect(await numbers(copy.predict(inputs()) as tf.Tensor)).toEqual(
      await numbers(model.predict(inputs()) as tf.Tensor),
    );
    expect(copy.trainableWeights.length).toBe(model.trainableWeights.length);
  });

  test("may be a model's first layer, and keeps being untrainable", async () => {
    const gate = new HardConcreteGate({ inputShape: [4], trainable: false });
    const model = sequential({ layers: [gate, layers.dense({ units: 1 })] });
    expect(model.trainableWeights).toHaveLength(2);
    const copy = await reloaded(model);
    expect(copy.trainableWeights).toHaveLength(2);
    expect(await numbers(copy.predict(inputs()) as tf.Tensor)).toEqual(
      await numbers(model.predict(inputs()) as tf.Tensor),
    );
  });

  test("gates every axis but the last alike", async () => {
    const gate = built(2);
    assign(gate, [10, -10]);
    const y = gate.apply(tf.ones([2, 3, 2])) as tf.Tensor;
    expect(y.shape).toEqual([2, 3, 2]);
    expect(await numbers(y)).toEqual([1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0]);
  });
});

test("with noise a row, all steps of a row's sequence share its gates", async () => {
  const gate = built(4, { noise: "row", initialOpen: 0.6, seed: 3 });
  // As many steps as rows: broadcast without care, the noise would go to the steps.
  const y = (await (gate.apply(tf.ones([3, 3, 4]), { training: true }) as tf.Tensor3D).array()) as number[][][];
  for (const [first, ...others] of y) for (const other of others) expect(other).toEqual(first);
  expect(y[0]).not.toEqual(y[1]);
});

describe("values", () => {
  test("with noise a batch are one row, with noise a row as many as the batch has", async () => {
    expect(built(4).values(Random.from(1), 3).shape).toEqual([1, 4]);
    const gate = built(4, { noise: "row", initialOpen: 0.6 });
    const z = gate.values(Random.from(1), 3);
    expect(z.shape).toEqual([3, 4]);
    const rows = await z.array();
    expect(rows[0]).not.toEqual(rows[1]);
    expect(gate.values().shape).toEqual([1, 4]);
  });

  test("come from the noise alone: the same stream, the same values", async () => {
    const gate = built(16);
    const draw = (seed: number): Promise<number[]> => numbers(gate.values(Random.from(seed, "gate")));
    expect(await draw(1)).toEqual(await draw(1));
    expect(await draw(1)).not.toEqual(await draw(2));
  });

  test("of one group are equal, and a gate's gradient is the sum over its group", async () => {
    const gate = built(5, { groups: [1, 0, 1, 1, 0] });
    assign(gate, [0.3, -0.5]);
    const [low, high] = [gateValue(-0.5), gateValue(0.3)];
    expectClose(await numbers(gate.values()), [low, high, low, low, high]);
    const sampled = await numbers(gate.values(Random.from(4)));
    expect(new Set(sampled).size).toBe(2);
    expect([...gate.spread([7, 8])]).toEqual([8, 7, 8, 8, 7]);
    expect(gate.width).toBe(5);
    const weights = tf.tensor2d([1, 2, 3, 4, 5], [1, 5]);
    const { grads } = tf.variableGrads(() => tf.sum(tf.mul(gate.values(), weights)) as tf.Scalar, [gate.logAlpha]);
    const slope = (a: number): number => (gateValue(a + 1e-4) - gateValue(a - 1e-4)) / 2e-4;
    const gradient = await numbers(grads[gate.logAlpha.name] ?? tf.scalar(Number.NaN));
    expectClose(gradient, [(2 + 5) * slope(0.3), (1 + 3 + 4) * slope(-0.5)], { absolute: 1e-4 });
  });
});

describe.each(["cpu", "wasm"] as const)("a sample on %s", (backend) => {
  beforeAll(() => useBackend(backend));
  afterAll(() => useBackend(inject("backend")));

  test.each<[string, GateOptions]>([
    ["noise a batch", { temperature: 0.5, gamma: -0.2, zeta: 1.3 }],
    ["noise a row", { noise: "row" }],
    ["costs", { costs: [1, 0, 2, 5] }],
    ["groups", { groups: [0, 1, 1, 2], noise: "row" }],
  ])("with %s is the product with the values of the same noise, and the expected fraction", async (_, options) => {
    const gate = built(4, { initialOpen: 0.6, ...options });
    const gates = (await gate.state()).logAlpha.length;
    gate.setFixed(Float32Array.from({ length: gates }, (_, g) => [LIVE, 0.75, LIVE, 0][g] ?? LIVE));
    const x = tf.tensor2d(Random.from(2).normals(3 * 4), [3, 4]);
    const h = tf.variable(x);
    const loss = (y: tf.Tensor, expected: tf.Scalar): tf.Scalar => tf.add(tf.sum(tf.square(y)), tf.mul(expected, 3));
    const together = (): tf.Scalar => {
      const { gated, expected } = gate.sample(h as tf.Tensor as tf.Tensor2D, Random.from(4, "gate", 1));
      return loss(gated, expected);
    };
    const apart = (): tf.Scalar => loss(tf.mul(h, gate.values(Random.from(4, "gate", 1), 3)), gate.expectedFraction());
    const [one, two] = [together, apart].map((f) => tf.variableGrads(f, [h, gate.logAlpha]));
    expectClose((await one?.value.data()) ?? [], (await two?.value.data()) ?? [0], { absolute: 1e-4 });
    for (const { name } of [h, gate.logAlpha]) {
      expectClose((await one?.grads[name]?.data()) ?? [], (await two?.grads[name]?.data()) ?? [0], { absolute: 1e-4 });
    }
  });
});

describe("the expected fraction", () => {
  test("weighs gates by their dimensions, or by their costs", async () => {
    const [rare, often] = [openProbabilityOf(-1), openProbabilityOf(1)];
    const fraction = async (options: GateOptions): Promise<number> => {
      const gate = built(4, { groups: [0, 1, 1, 1], ...options });
      assign(gate, [-1, 1]);
      return (await numbers(gate.expectedFraction()))[0] ?? Number.NaN;
    };
    expectClose([await fraction({})], [(rare + 3 * often) / 4]);
    expectClose([await fraction({ costs: [9, 1] })], [(9 * rare + often) / 10]);
  });

  test("counts fixed gates as 0 or 1 and gives them no gradient", async () => {
    const gate = built(3);
    assign(gate, [1, 1, 1]);
    gate.setFixed(Float32Array.of(LIVE, 0.7, 0));
    expectClose(await numbers(gate.expectedFraction()), [(openProbabilityOf(1) + 1) / 3]);
    const { grads } = tf.variableGrads(() => gate.expectedFraction(), [gate.logAlpha]);
    const gradient = await numbers(grads[gate.logAlpha.name] ?? tf.scalar(Number.NaN));
    expect(gradient[0]).toBeGreaterThan(0);
    expect(gradient.slice(1)).toEqual([0, 0]);
  });
});

describe("freezing", () => {
  test("keeps the gates asked for at open values, in training too; thawing frees only the open ones", async () => {
    const gate = built(4);
    assign(gate, [-2, 1, 9, 9]);
    await gate.freeze([0, 1, 2]);
    const frozen = [MINIMUM_OPEN_VALUE, gateValue(1), 1, 0];
    expectClose(await numbers(gate.values()), frozen);
    expectClose(await numbers(gate.values(Random.from(1))), frozen);
    await gate.thaw();
    expect([...(await gate.state()).fixed]).toEqual([LIVE, LIVE, LIVE, 0]);
    expect((await numbers(gate.values(Random.from(1))))[3]).toBe(0);
  });

  test("without a list keeps what the evaluation rule leaves open", async () => {
    const undecided = logAlphaFor(0.4);
    for (const [rule, open] of [
      ["mean", 3],
      ["median", 1],
    ] as const) {
      const gate = built(4, { rule });
      assign(gate, [undecided, undecided, 5, -5]);
      await gate.freeze();
      expect((await gate.state()).fixed.filter((value) => value > 0)).toHaveLength(open);
    }
  });

  test("thawing keeps the order of log alpha and leaves every gate a gradient", async () => {
    const gate = built(4);
    assign(gate, [10, 5, 0.5, -2]);
    await gate.freeze([0, 1, 2, 3]);
    await gate.thaw();
    const { logAlpha } = await gate.state();
    expect([...logAlpha].sort((a, b) => b - a)).toEqual([...logAlpha]);
    expect(openProbabilityOf(logAlpha[0] ?? Number.NaN)).toBeLessThan(0.995);
    expect(openProbabilityOf(logAlpha[0] ?? Number.NaN)).toBeGreaterThan(0.95);
    const { grads } = tf.variableGrads(() => gate.expectedFraction(), [gate.logAlpha]);
    const gradient = await numbers(grads[gate.logAlpha.name] ?? tf.scalar(0));
    expect(Math.min(...gradient)).toBeGreaterThan(1e-3);
  });

  test("thawing leaves a kept gate at least half open, however far it had closed", async () => {
    const gate = built(3);
    assign(gate, [-6, 4, -6]);
    await gate.freeze([0, 1]);
    await gate.thaw();
    const { logAlpha } = await gate.state();
    expectClose(Float32Array.from(logAlpha, (value) => openProbabilityOf(value)).subarray(0, 1), [0.5], {
      absolute: 1e-6,
    });
    expect(logAlpha[2]).toBe(-6);
  });

  test("thawing never turns an open gate's log alpha around, whatever the temperature", async () => {
    const gate = built(2, { temperature: 2 });
    assign(gate, [8, 4]);
    await gate.freeze([0, 1]);
    await gate.thaw();
    const { logAlpha } = await gate.state();
    expect(logAlpha[0]).toBeGreaterThan(logAlpha[1] ?? Number.NaN);
    expect(logAlpha[1]).toBeGreaterThan(0);
  });

  test("the state is a copy", async () => {
    const gate = built(2);
    const state = await gate.state();
    state.logAlpha.fill(99);
    state.fixed.fill(0);
    expect(Math.max(...(await gate.state()).logAlpha)).toBeLessThan(10);
    expect([...(await gate.state()).fixed]).toEqual([LIVE, LIVE]);
  });
});

test("starts at the open probability that is asked for, by the seed", async () => {
  const gate = built(1000, { initialOpen: 0.7, seed: 1 });
  const { logAlpha } = await gate.state();
  const mean = logAlpha.reduce((sum, a) => sum + a, 0) / 1000;
  const deviation = Math.sqrt(logAlpha.reduce((sum, a) => sum + (a - mean) ** 2, 0) / 1000);
  expectClose([mean, deviation], [logAlphaFor(0.7), 0.01], { absolute: 1.5e-3 });
  expect((await built(1000, { initialOpen: 0.7, seed: 1 }).state()).logAlpha).toEqual(logAlpha);
  expect((await built(1000, { initialOpen: 0.7, seed: 2 }).state()).logAlpha).not.toEqual(logAlpha);
});

describe("refuses", () => {
  test.each<[string, GateOptions]>([
    ["temperature", { temperature: -1 }],
    ["initial open probability", { initialOpen: 1 }],
    ["penalty", { penalty: -0.1 }],
    ["infinite penalty", { penalty: Number.POSITIVE_INFINITY }],
    ["seed", { seed: -1 }],
    ["noise", JSON.parse('{ "noise": "rows" }') as GateOptions],
    ["rule", JSON.parse('{ "rule": "mode" }') as GateOptions],
  ])("a wrong %s", (_, options) => {
    expect(() => new HardConcreteGate(options)).toThrow(ConfigError);
  });

  test.each<[string, GateOptions]>([
    ["a negative group", { groups: [0, -5, 1] }],
    ["a group number beyond the dimensions", { groups: [0, 1, 3] }],
    ["a group that is no integer", { groups: [0, 0.5, 1] }],
    ["an empty group", { groups: [0, 2, 2] }],
    ["too few costs", { costs: [1, 2] }],
    ["negative costs", { costs: [1, -1, 1] }],
    ["costs that are all 0", { costs: [0, 0, 0] }],
    ["infinite costs", { costs: [1, Number.POSITIVE_INFINITY, 1] }],
  ])("%s, when built", (_, options) => {
    expect(() => built(3, options)).toThrow(ConfigError);
  });

  test("groups of another width, and inputs whose width is unknown", () => {
    expect(() => built(3, { groups: [0, 0] })).toThrow(ShapeError);
    expect(() => new HardConcreteGate().build([null, null])).toThrow(ShapeError);
  });

  test("to be read before it is built", () => {
    expect(() => new HardConcreteGate().logAlpha).toThrow(/call build/);
  });
});

test("neither sampling nor freezing leaves tensors behind, and dispose frees the rest", async () => {
  const before = tf.memory().numTensors;
  const gate = built(4, { groups: [0, 0, 1, 1] });
  const random = Random.from(1);
  await expectNoLeak(async () => {
    tf.dispose([gate.values(random), gate.values(), gate.expectedFraction()]);
    await gate.freeze([0]);
    await gate.thaw();
  });
  gate.dispose();
  expect(tf.memory().numTensors).toBe(before);
});
