import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, DataError, EVALUATION, useBackend } from "@l0gm/core";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { writeSmallBert } from "../../test/small-bert.ts";
import { requireModel } from "../data/models.ts";
import { parseConfig } from "./config.ts";
import { imdb } from "./imdb.ts";
import { ownText } from "./own-text.ts";
import { spamAssassin } from "./spam-assassin.ts";

const root = mkdtempSync(join(tmpdir(), "l0gm-texts-"));
beforeAll(async () => {
  vi.stubEnv("XDG_CACHE_HOME", root);
  await useBackend("wasm");
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

const rows = Array.from({ length: 40 }, (_, i) => ({
  body: `${i % 2 === 0 ? "cats purr" : "dogs bark"} ${"and again ".repeat(i % 5)}${i}`,
  topic: i % 2 === 0 ? "cat" : "dog",
}));
const file = join(root, "pets.jsonl");
writeFileSync(file, rows.map((row) => JSON.stringify(row)).join("\n"));

const settings = {
  data: { text: "body", label: "topic" },
  width: 8,
  encoder: { kind: "transformer", hidden: 8, vocabulary: { minimumCount: 1 } },
};

test("own texts are split by class, sorted by length for evaluation, and encoded", async () => {
  const config = parseConfig(ownText.config, settings, "config");
  const data = await ownText.load({ config, source: { file }, split: "stratified", seed: 0 });
  expect([data.train.rows, data.validation.rows, data.test.rows, data.classes]).toEqual([28, 4, 8, ["cat", "dog"]]);
  const lengths: number[] = [];
  for await (const { inputs } of data.test.batches(1)) lengths.push(inputs.mask.shape[1]);
  expect([lengths[0], lengths.at(-1)]).toEqual([Math.min(...lengths), Math.max(...lengths)]);
  const encoder = await data.encoder(1);
  for await (const { inputs } of data.train.batches(7)) {
    expect(encoder.encode(inputs, EVALUATION).shape).toEqual([7, 8]);
  }
  encoder.dispose();
  const artefact = async (name: string) => JSON.parse(JSON.stringify(data.artefacts[name]));
  const fresh = await ownText.newRows(file, config, artefact);
  expect([fresh.rows.rows, fresh.classes]).toEqual([40, ["cat", "dog"]]);
});

test("what own texts need is asked for", async () => {
  const config = parseConfig(ownText.config, { data: { label: "topic" } }, "config");
  await expect(ownText.identify({ file }, config)).rejects.toThrow(ConfigError);
  await expect(ownText.identify({ file }, config)).rejects.toThrow("--text COLUMN");
  const whole = parseConfig(ownText.config, settings, "config");
  await expect(ownText.identify({}, whole)).rejects.toThrow("--data FILE");
  await expect(ownText.identify({ file: "/nowhere.csv" }, whole)).rejects.toThrow(DataError);
});

test("a pretrained encoder is tuned more gently than one from scratch is trained, unless a setting says otherwise", () => {
  const pretrained = { encoder: { kind: "bert", model: "small" } };
  const parse = (given: object) => parseConfig(imdb.configFor?.("official", given) ?? imdb.config, given, "test");
  expect([parse({}), parse(pretrained)].map(({ weights, epochs }) => [weights.learningRate, epochs])).toEqual([
    [5e-4, 2],
    [1e-4, 2],
  ]);
  expect(parse({ ...pretrained, weights: { learningRate: 3e-5 } }).weights.learningRate).toBe(3e-5);
  expect(parseConfig(ownText.configFor?.("stratified", pretrained) ?? ownText.config, pretrained, "test").epochs).toBe(
    3,
  );
});

test("a model that is nowhere is named, with the places where it was looked for", () => {
  expect(() => requireModel("tiny", "/nowhere")).toThrow(DataError);
  expect(() => requireModel("tiny", "/nowhere")).toThrow("/nowhere/tiny");
});

test("what comparators do to a pretrained model is checked against its sizes before anything is loaded", async () => {
  mkdirSync(join(root, "sized"));
  for (const name of ["model.safetensors", "tokenizer.json"]) writeFileSync(join(root, "sized", name), "{}");
  const sizes = { num_hidden_layers: 3, num_attention_heads: 4, max_position_embeddings: 64 };
  writeFileSync(join(root, "sized", "config.json"), JSON.stringify({ ...sizes, pruned_heads: { 2: [0, 3] } }));
  const encoder = { kind: "bert", model: "sized", trainableLayers: 2 };
  const config = parseConfig(ownText.config, { ...settings, encoder }, "config");
  const source = { file, modelDir: root };
  await expect(ownText.identify(source, config)).rejects.toThrow(/no tokenizer_config\.json in .*sized/);
  writeFileSync(join(root, "sized", "tokenizer_config.json"), "{}");
  await expect(ownText.identify(source, config)).rejects.toThrow(
    /tokens\.maximumLength: expected at most 64, the longest/,
  );
  const check = async (name: string, level: number) => {
    await ownText.comparators?.[name]?.check?.(config, level, source);
  };
  await check("layers", 2);
  await expect(check("layers", 3)).rejects.toThrow("fewer than the 3 layers");
  await check("heads", 0.5);
  await expect(check("heads", 0.1)).rejects.toThrow("of the 6 heads that leaves each of the 2 trained layers one");
});

test("what frozen blocks compute is kept on disk, and embeddings alone are not", async () => {
  writeSmallBert(
    join(root, "two-blocks"),
    rows.map(({ body }) => body),
  );
  const load = (layers: number) => {
    const encoder = { kind: "bert", model: "two-blocks", layers, trainableLayers: 1 };
    const config = parseConfig(ownText.config, { ...settings, encoder, tokens: { maximumLength: 32 } }, "config");
    return ownText.load({ config, source: { file, modelDir: root }, split: "stratified", seed: 0 });
  };
  const kindOf = async ({ train }: Awaited<ReturnType<typeof load>>): Promise<string> => {
    for await (const { inputs } of train.batches(2)) return "hidden" in inputs ? "hidden" : "ids";
    return "none";
  };
  const features = join(root, "l0gm", "features");
  expect(await kindOf(await load(1))).toBe("ids");
  expect(existsSync(features)).toBe(false);
  expect(await kindOf(await load(2))).toBe("hidden");
  expect(existsSync(features)).toBe(true);
});

test("a cache folder that cannot be made is named", async () => {
  const blocked = join(root, "blocked");
  writeFileSync(blocked, "");
  vi.stubEnv("XDG_CACHE_HOME", blocked);
  onTestFinished(() => {
    vi.stubEnv("XDG_CACHE_HOME", root);
  });
  const config = parseConfig(ownText.config, settings, "config");
  const load = ownText.load({ config, source: { file }, split: "stratified", seed: 0 });
  await expect(load).rejects.toThrow(/cache folder .*blocked.*expected one to write to/);
});

test("comparators have fewer layers than the dense run, and train no more of them", () => {
  const layers = ownText.comparators?.["layers"];
  const two = parseConfig(ownText.config, { encoder: { kind: "transformer", layers: 2 } }, "config");
  expect(layers?.configure(two, 1).encoder.layers).toBe(1);
  expect(() => layers?.configure(two, 2)).toThrow("fewer than the 2 layers");
  const heads = ownText.comparators?.["heads"];
  expect(heads?.configure(two, 0.5)).toEqual(two);
  for (const kept of [0.1, 0.95])
    expect(() => heads?.configure(two, kept)).toThrow("of the 8 heads that leaves each of the 2 trained layers one");
  const bert = { kind: "bert", model: "small", trainableLayers: 3 };
  const pretrained = parseConfig(ownText.config, { encoder: bert }, "config");
  expect(layers?.configure(pretrained, 2).encoder).toMatchObject({ layers: 2, trainableLayers: 2 });
});

test("e-mails are read without headers and each once; both classes are in every part", {
  timeout: 60_000,
}, async () => {
  const config = parseConfig(spamAssassin.config, { encoder: { kind: "transformer", hidden: 8 } }, "config");
  const data = await spamAssassin.load({ config, source: {}, split: "stratified", seed: 0 });
  const { train, validation, test: tested } = data;
  const total = train.rows + validation.rows + tested.rows;
  expect(total).toBeGreaterThan(5_800);
  expect(total).toBeLessThan(6_046);
  expect(tested.rows / total).toBeCloseTo(0.2, 3);
  expect(data.classes).toEqual(["ham", "spam"]);
  await expect(spamAssassin.identify({ file }, config)).rejects.toThrow("l0gm run text");
});
