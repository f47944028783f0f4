import { ConfigError } from "@l0gm/core";
import { describe, expect, it } from "vitest";
import { parseConfig, type RunConfig } from "./config.ts";
import { amazonComputers, ogbnProducts } from "./graph-benchmarks.ts";
import { GRAPH_COMPARATORS } from "./graph-comparators.ts";
import type { GraphConfig } from "./graph-config.ts";
import { comparatorOf } from "./registry.ts";

const whole = parseConfig(amazonComputers.config, {}, "test");
const sampled = parseConfig(ogbnProducts.config, {}, "test");
const names = Object.keys(GRAPH_COMPARATORS);

function configured(name: string, config: GraphConfig, level?: number): GraphConfig {
  const comparator = GRAPH_COMPARATORS[name];
  if (comparator === undefined) throw new Error(`no comparator ${name}`);
  return comparator.configure(config, level ?? comparator.levels?.[0] ?? Number.NaN);
}

describe("graph comparators", () => {
  it.each(names)("%s has settings that can be read back, and dense's epochs and optimizer", (name) => {
    for (const config of [whole, sampled]) {
      const changed = configured(name, config);
      expect(parseConfig(amazonComputers.config, changed, name)).toEqual(changed);
      const budget = ({ epochs, weights, clipNorm, width }: RunConfig) => ({ epochs, weights, clipNorm, width });
      expect(budget(changed)).toEqual(budget(config));
    }
  });

  it("fan-out takes as many neighbours a layer, in one batch where dense trains on one", () => {
    const changed = configured("fan-out", whole, 5);
    expect(changed.training).toEqual({ kind: "sampled", fanOut: [5, 5], workers: 0 });
    expect(changed.batchSize).toBeGreaterThan(2_449_029);
    expect(changed.evaluation).toBe("whole");
    expect(configured("fan-out", { ...whole, batchSize: 512 }, 5).batchSize).toBe(512);
    const products = configured("fan-out", sampled, 2);
    expect(products).toMatchObject({ batchSize: 1024, training: { kind: "sampled", fanOut: [2, 2, 2], workers: 1 } });
  });

  it("drop-edge and sparsify change the edges, and a level out of range is no setting", () => {
    expect(configured("drop-edge", whole, 0.5).edges).toMatchObject({ drop: 0.5, keep: 1 });
    expect(configured("sparsify", whole, 0.25).edges).toMatchObject({ drop: 0, keep: 0.25 });
    for (const name of ["drop-edge", "sparsify"]) {
      expect(() => parseConfig(amazonComputers.config, configured(name, whole, 2), name)).toThrow(ConfigError);
    }
  });

  it("mlp has the layers of dense without an edge, averaged-features a linear map", () => {
    const mlp = configured("mlp", sampled);
    expect(mlp).toMatchObject({
      encoder: { kind: "gcn", hidden: 256, layers: 3 },
      edges: { keep: "none" },
      training: { kind: "whole" },
    });
    expect(configured("averaged-features", whole)).toMatchObject({
      encoder: { kind: "linear" },
      edges: { averagings: 2 },
    });
  });

  it.each(["mlp", "fan-out"])("%s needs an encoder with layers", (name) => {
    expect(() => configured(name, { ...whole, encoder: { kind: "linear" } })).toThrow(ConfigError);
  });

  it("an unknown name is refused with those there are", () => {
    expect(() => comparatorOf(amazonComputers, "pruning")).toThrow(names.join(", "));
  });
});

describe("defaults of a split", () => {
  it("differ where more nodes have labels, in dropout alone", () => {
    const other = parseConfig(amazonComputers.configFor?.("random_60_20_20", {}) ?? amazonComputers.config, {}, "test");
    const dropout = { dropout: 0.5, featureDropout: 0.3 };
    expect(other).toEqual({ ...whole, encoder: { ...whole.encoder, ...dropout } });
    expect(whole.encoder).toMatchObject({ dropout: 0.6, featureDropout: 0.5 });
  });
});
