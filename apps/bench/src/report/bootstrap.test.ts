import {
  accuracy,
  applyTemperature,
  ConfigError,
  calibrationError,
  DataError,
  fitTemperature,
  negativeLogLikelihood,
  type Predictions,
  pairedBootstrap,
  Random,
  ShapeError,
} from "@l0gm/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RunResult } from "../result.ts";
import { measureSplits } from "../run/evaluate.ts";
import { differenceToDense, groupRuns } from "./aggregate.ts";
import {
  bootstrapDifferences,
  bootstrapRuns,
  type MissingRows,
  rowScores,
  type TestRows,
  testRows,
} from "./bootstrap.ts";
import type { Protocol } from "./measures.ts";
import { syntheticRuns } from "./synthetic-runs.ts";

const ROWS = 301;
const LABELS = Int32Array.from({ length: ROWS }, (_, row) => row % 3);

/** Logits that lean towards the label, in single precision as they are kept. */
function predictions(seed: number, lean = 1, labels = LABELS): Predictions {
  const logits = Random.from(seed, "test").normals(labels.length * 3);
  labels.forEach((label, row) => {
    logits[row * 3 + label] = (logits[row * 3 + label] ?? 0) + lean;
  });
  return { logits, labels, classes: 3 };
}

const METRICS = { accuracy, nll: negativeLogLikelihood, ece: calibrationError };

describe("rowScores", () => {
  it("holds what core's metrics are made of, at any confidence, boundaries of bins included", () => {
    const boundaries = Array.from({ length: 14 }, (_, i) => (i + 1) / 15).map((p) => Math.log(p / (1 - p)));
    const logit = fc.oneof(fc.double({ min: -40, max: 40, noNaN: true }), fc.constantFrom(...boundaries, 0, 800));
    const rows = fc.array(fc.tuple(logit, logit, fc.nat(1)), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(rows, (drawn) => {
        const p = {
          logits: Float64Array.from(drawn.flatMap((row) => row.slice(0, 2))),
          labels: Int32Array.from(drawn, ([, , label]) => label),
          classes: 2,
        };
        const { correct, nll, gaps } = rowScores(p);
        const mean = (values: ArrayLike<number>): number =>
          Array.from(values).reduce((a, b) => a + b, 0) / drawn.length;
        expect(mean(correct)).toBeCloseTo(accuracy(p), 12);
        expect(mean(nll)).toBeCloseTo(negativeLogLikelihood(p), 9);
        let start = 0;
        const ece = Array.from(gaps.ends, (end) => {
          const sum = gaps.values.slice(start, end).reduce((a, b) => a + b, 0);
          start = end;
          return Math.abs(sum) / drawn.length;
        }).reduce((a, b) => a + b, 0);
        expect(ece).toBeCloseTo(calibrationError(p), 12);
        expect([...gaps.order].sort((a, b) => a - b)).toEqual(drawn.map((_, row) => row));
      }),
    );
  });
});

describe("bootstrapDifferences", () => {
  const dense = predictions(1);
  const gated = predictions(2, 0.8);
  const scaled = applyTemperature(gated, 1.7);

  it.each([1, 7, 64])(
    "gives the intervals of core's pairedBootstrap, which draws the same rows, with %d samples",
    (samples) => {
      const baseline = rowScores(dense);
      const intervals = bootstrapDifferences(
        [[{ model: rowScores(gated), dense: baseline }], [{ model: rowScores(scaled), dense: baseline }]],
        { samples, seed: 5, level: 0.9 },
      );
      [gated, scaled].forEach((model, i) => {
        for (const key of ["accuracy", "nll", "ece"] as const) {
          const expected = pairedBootstrap(dense, model, METRICS[key], { samples, seed: 5, level: 0.9 });
          const { difference, lower, upper } = intervals[i]?.[key] ?? {};
          expect(difference).toBeCloseTo(expected.difference, 12);
          expect(lower).toBeCloseTo(expected.lower, 12);
          expect(upper).toBeCloseTo(expected.upper, 12);
        }
      });
    },
  );

  it("averages over seeds within each resample", () => {
    const pairs = [3, 4, 5].map((seed) => [predictions(seed, 0.9), predictions(seed + 10)] as const);
    const samples = 41;
    const seeds = pairs.map(([model, baseline]) => ({ model: rowScores(model), dense: rowScores(baseline) }));
    const [intervals] = bootstrapDifferences([seeds], { samples });
    const random = Random.from(0, "bootstrap");
    const drawn = Array.from({ length: samples }, () => {
      const rows = Array.from({ length: ROWS }, () => random.integer(ROWS));
      const take = ({ logits, labels, classes }: Predictions): Predictions => ({
        logits: Float64Array.from(rows.flatMap((row) => [...logits.subarray(row * 3, row * 3 + 3)])),
        labels: Int32Array.from(rows, (row) => labels[row] ?? -1),
        classes,
      });
      const ece = pairs.map(([a, b]) => calibrationError(take(a)) - calibrationError(take(b)));
      return ece.reduce((sum, difference) => sum + difference, 0) / pairs.length;
    }).sort((a, b) => a - b);
    // With 41 resamples, 2.5 % and 97.5 % fall on the second and the second to last.
    expect(intervals?.ece.lower).toBeCloseTo(drawn[1] ?? 0, 12);
    expect(intervals?.ece.upper).toBeCloseTo(drawn[39] ?? 0, 12);
  });

  it("is settled by its seed, and another comparison beside it changes nothing", () => {
    const pair = [{ model: rowScores(gated), dense: rowScores(dense) }];
    const other = [{ model: rowScores(predictions(8)), dense: rowScores(dense) }];
    const options = { samples: 50, seed: 3 };
    const [first] = bootstrapDifferences([pair], options);
    expect(bootstrapDifferences([other, pair], options)[1]).toEqual(first);
    expect(bootstrapDifferences([pair], { ...options, seed: 4 })[0]).not.toEqual(first);
  });

  it("finds no difference between a model and itself", () => {
    const scores = rowScores(dense);
    const nothing = { difference: 0, lower: 0, upper: 0 };
    expect(bootstrapDifferences([[{ model: scores, dense: scores }]], { samples: 9 })).toEqual([
      { accuracy: nothing, nll: nothing, ece: nothing },
    ]);
  });

  it("refuses what cannot be compared and options outside their range", () => {
    const scores = rowScores(dense);
    const shorter = rowScores(predictions(1, 1, LABELS.slice(0, 100)));
    const pair = [{ model: scores, dense: scores }];
    expect(() => bootstrapDifferences([[{ model: shorter, dense: scores }]])).toThrow(ShapeError);
    expect(() => bootstrapDifferences([pair, []])).toThrow(DataError);
    for (const options of [{ samples: 0 }, { samples: 1.5 }, { level: 1 }, { seed: -1 }]) {
      expect(() => bootstrapDifferences([pair], options)).toThrow(ConfigError);
    }
  });
});

interface Kept {
  readonly runs: RunResult[];
  readonly rows: Map<RunResult, TestRows | MissingRows>;
  readonly predictions: Map<RunResult, Record<Protocol, Predictions>>;
}

/** Runs whose test metrics are those of made-up predictions. */
function keptRuns(): Kept {
  const kept: Kept = { runs: [], rows: new Map(), predictions: new Map() };
  syntheticRuns({ methods: ["dense", "l0gm"], fractions: [0.5, 0.125], seeds: 2 }).forEach((run, i) => {
    const own = { equalBudget: predictions(20 + i, 0.7), bestValidation: predictions(40 + i, 1.3) };
    const bestValidation = measureSplits({ validation: predictions(60 + i, 1.1), test: own.bestValidation });
    const equalBudget = measureSplits({ validation: predictions(80 + i, 1.1), test: own.equalBudget });
    const result = { ...run, metrics: bestValidation, protocols: { equalBudget, bestValidation } };
    kept.runs.push(result);
    kept.rows.set(result, testRows(result, own));
    kept.predictions.set(result, own);
  });
  return kept;
}

describe("bootstrapRuns", () => {
  const { runs, rows, predictions: kept } = keptRuns();
  const dense = runs[0] as RunResult;
  const bootstraps = bootstrapRuns(runs, rows, { samples: 40 });

  it("has every difference that the report shows, around the mean that it shows", () => {
    const [group] = groupRuns(runs, bootstraps);
    expect(bootstraps[0]).toMatchObject({ key: group?.key, samples: 40, missing: [] });
    expect(bootstraps[0]?.differences).toHaveLength(2 * 2 * 2);
    for (const { method, fraction, protocol, stage, ...differences } of bootstraps[0]?.differences ?? []) {
      const cell = group?.series[0]?.cells.find((candidate) => candidate.fraction === fraction);
      if (group === undefined || cell === undefined) throw new Error(`no cell for ${method} ${fraction}`);
      for (const key of ["accuracy", "nll", "ece"] as const) {
        const shown = differenceToDense(group, cell, key, protocol, stage);
        expect(shown?.mean).toBeCloseTo(differences[key].difference, 9);
        expect(shown?.bootstrap).toEqual({ lower: differences[key].lower, upper: differences[key].upper });
      }
      expect(differenceToDense(group, cell, "smoothEce", protocol, stage)).not.toHaveProperty("bootstrap");
    }
  });

  it("scales with the temperature of the protocol’s own validation split", () => {
    const of = (protocol: Protocol): number | undefined => {
      const own = kept.get(dense)?.[protocol];
      const { temperature } = dense.protocols[protocol].test;
      return own && negativeLogLikelihood(applyTemperature(own, temperature));
    };
    const found = rows.get(dense);
    if (found === undefined || "missing" in found) throw new Error("no rows");
    for (const protocol of ["equalBudget", "bestValidation"] as const) {
      const { nll } = found.scores[protocol].scaled;
      expect(nll.reduce((a, b) => a + b, 0) / nll.length).toBeCloseTo(of(protocol) ?? 0, 9);
    }
    expect(dense.protocols.equalBudget.test.temperature).toBe(fitTemperature(predictions(80, 1.1)));
  });

  it("leaves out only what needs a run whose rows are missing, and names the run", () => {
    const lost = runs.find((run) => run.active.requested === 0.125 && run.seed === 1) as RunResult;
    const some = new Map(rows).set(lost, { missing: "has no predictions.safetensors" });
    const [bootstrap] = bootstrapRuns(runs, some, { samples: 4 });
    expect(new Set(bootstrap?.differences.map(({ fraction }) => fraction))).toEqual(new Set([0.5]));
    expect(bootstrap?.missing).toEqual(["l0gm at 1/8, seed 1, has no predictions.safetensors"]);
  });

  it("has nothing where dense is missing", () => {
    const [bootstrap] = bootstrapRuns(runs, new Map([...rows].filter(([run]) => run !== dense)), { samples: 4 });
    expect(bootstrap).toMatchObject({ differences: [], missing: ["dense, seed 0, has no predictions"] });
    expect(bootstrapRuns(runs.slice(2), rows)).toEqual([]);
  });

  it("does not take another run’s predictions, or those of other rows", () => {
    const own = kept.get(dense);
    const other = kept.get(runs[1] as RunResult);
    if (own === undefined || other === undefined) throw new Error("no predictions");
    expect(testRows(dense, other)).toEqual({ missing: "has predictions that do not give the NLL it recorded" });
    const found = testRows(dense, own);
    if ("missing" in found) throw new Error(found.missing);
    const elsewhere = { ...found, labels: LABELS.toReversed() };
    const [bootstrap] = bootstrapRuns(runs, new Map(rows).set(runs[1] as RunResult, elsewhere), { samples: 4 });
    expect(bootstrap?.missing).toEqual(["dense, seed 1, was tested on other rows than the runs before it"]);
  });
});
