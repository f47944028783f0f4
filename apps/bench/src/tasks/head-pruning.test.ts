import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Encoder, GatedClassifier, useBackend } from "@l0gm/core";
import {
  attentionHeads,
  bertEncoder,
  headImportance,
  type TextBatch,
  TextTokenizer,
  textDataset,
  tokenize,
  tokenizerFiles,
} from "@l0gm/text";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeSmallBert } from "../../test/small-bert.ts";
import { parseConfig } from "./config.ts";
import { headPruning } from "./head-pruning.ts";
import { ownText } from "./own-text.ts";

const folder = mkdtempSync(join(tmpdir(), "l0gm-heads-"));
const texts = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? `cats purr ${i}` : `dogs bark and bark ${i}`));
const tokens = tokenize(
  { texts, labels: Int32Array.from(texts, (_, i) => i % 2), classes: ["cat", "dog"] },
  new TextTokenizer(...tokenizerFiles(texts, { minimumCount: 1 }), {}),
);
beforeAll(async () => {
  await useBackend("cpu");
  writeSmallBert(folder, texts);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function classifier(options = {}) {
  return new GatedClassifier({ encoder: await bertEncoder(folder, { width: 4, ...options }), classes: 2, gate: false });
}

test("the heads with the smallest share of their block's importance go, and the model stays as it is", async () => {
  const model = await classifier();
  const importance = await headImportance(model, textDataset(tokens));
  const norms = [0, 1].map((l) =>
    Math.hypot(...importance.filter(({ layer }) => layer === l).map((each) => each.importance)),
  );
  const ranked = importance
    .map(({ layer, head, importance: value }) => ({ layer, head, share: value / (norms[layer] ?? 0) }))
    .sort((a, b) => a.share - b.share);
  const slim = await headPruning(model, 0.75, tokens)(5);
  const gone = [0, 1].flatMap((layer) =>
    [0, 1, 2, 3].filter((head) => !attentionHeads(slim)[layer]?.includes(head)).map((head) => `${layer}/${head}`),
  );
  expect(gone).toEqual(
    ranked
      .slice(0, 2)
      .map(({ layer, head }) => `${layer}/${head}`)
      .sort(),
  );
  expect(attentionHeads(model.encoder).flat()).toHaveLength(8);
});

test("heads of frozen blocks stay, and the share is of the others", async () => {
  const model = await classifier({ trainableLayers: 1 });
  const slim = await headPruning(model, 0.5, tokens, { trainableLayers: 1 })(0);
  expect(attentionHeads(slim).map((heads) => heads.length)).toEqual([4, 2]);
});

test("a share of all heads, or of fewer than one a block, is refused before training; so is another encoder", async () => {
  const model = await classifier();
  for (const kept of [0.1, 0.95, 1, Number.NaN]) {
    expect(() => headPruning(model, kept, tokens)).toThrow(
      "of the 8 heads that leaves each of the 2 trained layers one",
    );
  }
  const encoder: Encoder<TextBatch> = { ...model.encoder, width: 4 };
  const other = new GatedClassifier({ encoder, classes: 2, gate: false });
  expect(() => headPruning(other, 0.5, tokens)).toThrow("bertEncoder");
});

test("measuring stops when it is told to", async () => {
  const prune = headPruning(await classifier(), 0.5, tokens, { signal: AbortSignal.abort(new Error("enough")) });
  await expect(prune(0)).rejects.toThrow("enough");
});

test("what cannot be pruned shows when runs are planned", () => {
  const heads = ownText.comparators?.["heads"];
  const configured = (settings: object, level: number) =>
    heads?.configure(parseConfig(ownText.config, settings, "config"), level);
  const bert = { kind: "bert", model: "small" };
  expect(configured({ encoder: bert }, 0.5)?.encoder).toMatchObject(bert);
  for (const level of [0, 1, -0.5, 4]) expect(() => configured({ encoder: bert }, level)).toThrow("between 0 and 1");
  expect(configured({}, 0.5)?.encoder.kind).toBe("transformer");
  expect(() => configured({ encoder: { ...bert, trainableLayers: 0 } }, 0.5)).toThrow("trainable layers");
  expect(() => configured({ encoder: bert, epochs: 1 }, 0.5)).toThrow("at least 2");
});
