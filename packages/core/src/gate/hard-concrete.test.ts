import { readFileSync } from "node:fs";
import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { ConfigError } from "../errors.ts";
import { Random } from "../random.ts";
import { checkGradient, expectClose, expectNoLeak } from "../testing/index.ts";
import {
  deterministicGate,
  type EvaluationRule,
  expectedL0,
  gateValue,
  hardConcreteParams,
  LOG_ALPHA_LIMIT,
  logAlphaFor,
  NOISE_MARGIN,
  openProbability,
  openProbabilityOf,
  sampleGate,
  saturatedProbabilityOf,
} from "./hard-concrete.ts";

beforeAll(() => useBackend(inject("backend")));

interface Golden {
  readonly hardConcrete: {
    readonly rows: readonly {
      readonly logAlpha: number;
      readonly pNonzero: number;
      readonly pOne: number;
      readonly deterministic: number;
      readonly median: number;
      readonly samples: readonly { readonly u: number; readonly z: number }[];
    }[];
  };
}

describe.each(["binary", "multiclass"])("golden values (%s)", (set) => {
  const file = new URL(`../../test/reference/metrics-${set}.json`, import.meta.url);
  const { rows } = (JSON.parse(readFileSync(file, "utf8")) as Golden).hardConcrete;
  const logAlpha = rows.map((row) => row.logAlpha);

  test("there are rows over the whole range", () => {
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.every((row) => row.samples.length > 5)).toBe(true);
  });

  test("closed forms on numbers, in Float64", () => {
    const closed = { absolute: 1e-12 };
    expectClose(
      logAlpha.map((a) => openProbabilityOf(a)),
      rows.map((row) => row.pNonzero),
      closed,
    );
    expectClose(
      logAlpha.map((a) => saturatedProbabilityOf(a)),
      rows.map((row) => row.pOne),
      closed,
    );
    expectClose(
      logAlpha.map((a) => gateValue(a)),
      rows.map((row) => row.deterministic),
      closed,
    );
    expectClose(
      logAlpha.map((a) => gateValue(a, {}, "median")),
      rows.map((row) => row.median),
      closed,
    );
  });

  test("the same on tensors, in float32", async () => {
    const alphas = tf.tensor1d(logAlpha);
    expectClose(
      await openProbability(alphas).data(),
      rows.map((row) => row.pNonzero),
    );
    expectClose(
      await deterministicGate(alphas).data(),
      rows.map((row) => row.deterministic),
    );
    expectClose(
      await deterministicGate(alphas, {}, "median").data(),
      rows.map((row) => row.median),
    );
    const total = rows.reduce((sum, row) => sum + row.pNonzero, 0);
    expectClose(await expectedL0(alphas).data(), [total], { absolute: 1e-6 * rows.length });
  });

  test("samples at given noise", async () => {
    for (const { logAlpha: a, samples } of rows) {
      // The golden values take u in float64; float32 rounds 0.999 by 1.3e-8, which its logit magnifies a thousandfold.
      const rounded = samples.map(({ u }) => Math.fround(u));
      const slope = samples.map(({ u, z }, i) =>
        z > 0 && z < 1 ? Math.abs((rounded[i] ?? 0) - u) / (u * (1 - u)) : 0,
      );
      const z = await sampleGate(tf.scalar(a), tf.tensor1d(rounded)).data();
      for (const [i, sample] of samples.entries()) {
        expectClose(
          [z[i] ?? Number.NaN],
          [sample.z],
          { absolute: 1e-6 + (slope[i] ?? 0) },
          `logAlpha ${a}, u ${sample.u}`,
        );
      }
    }
  });
});

describe("gradients with respect to log alpha, against finite differences", () => {
  // Away from the corners, where a sample is clipped to 0 or 1 and the gradient jumps.
  const alphas = (): tf.Tensor1D => tf.tensor1d([-1.2, -0.4, 0.3, 1.1]);
  const sharp = { temperature: 0.4, gamma: -0.2, zeta: 1.3 };

  test.each([{}, sharp])("sampled gates %j", async (params) => {
    const u = tf.tensor2d([0.5, 0.55, 0.45, 0.4, 0.6, 0.5, 0.4, 0.3], [2, 4]);
    await checkGradient((a) => sampleGate(a, u, params), alphas());
  });

  test.each<[EvaluationRule, object]>([
    ["mean", {}],
    ["mean", sharp],
    ["median", {}],
  ])("deterministic gates, %s rule %j", async (rule, params) => {
    await checkGradient((a) => deterministicGate(a, params, rule), tf.tensor1d([-1, -0.4, 0.3, 0.8]));
  });

  test.each([{}, sharp])("open probability and expected L0 %j", async (params) => {
    const wide = tf.tensor1d([-9, -3, -1.6, 0, 2, 9]);
    await checkGradient((a) => openProbability(a, params), wide);
    await checkGradient((a) => expectedL0(a, params), wide);
  });

  test("a clipped sample has no gradient, and its neighbours keep theirs", async () => {
    const gradient = tf.grad((a) => sampleGate(a, tf.tensor1d([0.001, 0.5, 0.999])))(tf.tensor1d([-2, 0, 2]));
    const [shut, between, open] = await gradient.data();
    expect([shut, open]).toEqual([0, 0]);
    expect(between).toBeGreaterThan(0.1);
  });
});

describe("the distribution of samples", () => {
  const draws = 100_000;

  /** Mean of z by the trapezoid rule over its quantile function, in Float64. */
  function meanOf(logAlpha: number, params: object = {}): number {
    const { temperature, gamma, zeta } = hardConcreteParams(params);
    const steps = 200_000;
    let sum = 0;
    for (let i = 0; i < steps; i++) {
      const u = (i + 0.5) / steps;
      const s = 1 / (1 + Math.exp(-(Math.log(u / (1 - u)) + logAlpha) / temperature));
      sum += Math.min(1, Math.max(0, s * (zeta - gamma) + gamma));
    }
    return sum / steps;
  }

  test.each([
    [-3, {}],
    [-1, {}],
    [0, {}],
    [1.5, {}],
    [0.5, { temperature: 0.4, gamma: -0.3, zeta: 1.05 }],
  ])("agrees with the closed forms at log alpha %d %j", async (logAlpha, params) => {
    const u = Random.from(17, "samples").uniforms(draws, NOISE_MARGIN, 1 - NOISE_MARGIN);
    const z = await sampleGate(tf.scalar(logAlpha), tf.tensor1d(u), params).data<"float32">();
    const share = (holds: (value: number) => boolean): number =>
      z.reduce((n, value) => n + Number(holds(value)), 0) / draws;
    // Five standard errors of a share of 1e5 draws.
    const near = { absolute: 5 * Math.sqrt(0.25 / draws) };
    expectClose([share((value) => value === 0)], [1 - openProbabilityOf(logAlpha, params)], near);
    expectClose([share((value) => value === 1)], [saturatedProbabilityOf(logAlpha, params)], near);
    expectClose([z.reduce((sum, value) => sum + value, 0) / draws], [meanOf(logAlpha, params)], near);
  });
});

describe("laws", () => {
  const logAlpha = fc.double({ min: -LOG_ALPHA_LIMIT, max: LOG_ALPHA_LIMIT, noNaN: true });
  const noise = fc.double({ min: NOISE_MARGIN, max: 1 - NOISE_MARGIN, noNaN: true });
  const params = fc.record({
    temperature: fc.double({ min: 0.1, max: 2, noNaN: true }),
    gamma: fc.double({ min: -1, max: -0.01, noNaN: true }),
    zeta: fc.double({ min: 1.01, max: 2, noNaN: true }),
  });
  const rule = fc.constantFrom<EvaluationRule>("mean", "median");

  test("gate values lie in [0, 1] and rise with log alpha, as do both probabilities", () => {
    fc.assert(
      fc.property(logAlpha, logAlpha, noise, params, rule, (a, b, u, p, r) => {
        const alphas = tf.tensor1d([Math.min(a, b), Math.max(a, b)]);
        const pairs = [
          sampleGate(alphas, tf.scalar(u), p).dataSync(),
          deterministicGate(alphas, p, r).dataSync(),
          openProbability(alphas, p).dataSync(),
          [Math.min(a, b), Math.max(a, b)].map((x) => gateValue(x, p, r)),
          [Math.min(a, b), Math.max(a, b)].map((x) => openProbabilityOf(x, p)),
          [Math.min(a, b), Math.max(a, b)].map((x) => saturatedProbabilityOf(x, p)),
        ];
        for (const [low = Number.NaN, high = Number.NaN] of pairs) {
          expect(low).toBeGreaterThanOrEqual(0);
          expect(high).toBeGreaterThanOrEqual(low);
          expect(high).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test("a gate is as often 1 as it is open, or less", () => {
    fc.assert(
      fc.property(logAlpha, params, (a, p) => {
        expect(saturatedProbabilityOf(a, p)).toBeLessThanOrEqual(openProbabilityOf(a, p));
      }),
    );
  });

  test("logAlphaFor inverts the open probability", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-4, max: 1 - 1e-4, noNaN: true }), params, (open, p) => {
        expectClose([openProbabilityOf(logAlphaFor(open, p), p)], [open], { absolute: 1e-12 });
      }),
    );
  });

  test("the median rule is zero exactly where a gate is shut in half of its samples", () => {
    fc.assert(
      fc.property(logAlpha, params, (a, p) => {
        fc.pre(Math.abs(openProbabilityOf(a, p) - 0.5) > 1e-9);
        expect(gateValue(a, p, "median") > 0).toBe(openProbabilityOf(a, p) > 0.5);
      }),
    );
  });

  test("numbers and tensors agree", () => {
    fc.assert(
      fc.property(logAlpha, rule, (a, r) => {
        expectClose(deterministicGate(tf.scalar(a), {}, r).dataSync(), [gateValue(a, {}, r)], { absolute: 2e-6 });
        expectClose(openProbability(tf.scalar(a)).dataSync(), [openProbabilityOf(a)], { absolute: 1e-6 });
      }),
    );
  });
});

test("noise broadcasts: a vector serves the batch, a matrix its rows", () => {
  const alphas = tf.tensor1d([0, 1, 2]);
  expect(sampleGate(alphas, tf.fill([3], 0.5)).shape).toEqual([3]);
  expect(sampleGate(alphas, tf.fill([4, 3], 0.5)).shape).toEqual([4, 3]);
});

test("noise at both margins gives finite values and gradients", async () => {
  const u = tf.tensor1d([NOISE_MARGIN, 1 - NOISE_MARGIN]);
  for (const a of [-LOG_ALPHA_LIMIT, 0, LOG_ALPHA_LIMIT]) {
    const gradient = tf.grad((x) => sampleGate(x, u))(tf.scalar(a));
    expect((await gradient.data()).every(Number.isFinite)).toBe(true);
    expect((await sampleGate(tf.scalar(a), u).data()).every(Number.isFinite)).toBe(true);
  }
});

test("the two numbers that METHOD warns of: P(z != 0) at log alpha 0, and where the mean rule shuts", () => {
  expectClose([openProbabilityOf(0)], [0.8318], { absolute: 5e-5 });
  const edge = Math.log(0.1 / 1.1);
  expect(gateValue(edge - 1e-9)).toBe(0);
  expect(gateValue(edge + 1e-6)).toBeGreaterThan(0);
  expectClose([openProbabilityOf(edge)], [0.31], { absolute: 5e-4 });
});

test.each([
  { temperature: 0 },
  { temperature: Number.NaN },
  { gamma: 0 },
  { zeta: 1 },
  { zeta: Number.POSITIVE_INFINITY },
])("%j are no parameters", (params) => {
  expect(() => hardConcreteParams(params)).toThrow(ConfigError);
  expect(() => sampleGate(tf.scalar(0), tf.scalar(0.5), params)).toThrow(ConfigError);
  expect(() => openProbabilityOf(0, params)).toThrow(/temperature > 0, gamma < 0, zeta > 1/);
});

test.each([0, 1, -0.1, 1.1, Number.NaN])("%d is no open probability to start from", (open) => {
  expect(() => logAlphaFor(open)).toThrow(ConfigError);
});

test("no operation leaves a tensor behind but its result", async () => {
  const alphas = tf.tensor1d([0, 1]);
  const u = tf.tensor1d([0.4, 0.6]);
  await expectNoLeak(() => {
    tf.dispose([
      sampleGate(alphas, u),
      deterministicGate(alphas),
      deterministicGate(alphas, {}, "median"),
      openProbability(alphas),
      expectedL0(alphas),
    ]);
  });
});
