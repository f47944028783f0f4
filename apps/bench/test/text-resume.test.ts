import { join } from "node:path";
import { Random } from "@l0gm/core";
import { expect, test } from "vitest";
import { temporaryFolder, writeInto } from "./command-line.ts";
import { killedAndNot, numbers } from "./killed-run.ts";
import { writeSmallBert } from "./small-bert.ts";

/** Steps of a few milliseconds. */
const SMALL = { width: 8, epochs: 24, batchSize: 32, tokens: { maximumLength: 16 } };

/** Texts of 4 to 12 words; a word decides the class, mostly. */
function notes(): { readonly text: string; readonly topic: string }[] {
  const random = Random.from(5, "notes");
  return Array.from({ length: 120 }, (_, i) => {
    const topic = i % 2 === 0 ? "sea" : "hill";
    const words = Array.from(
      { length: 3 + random.integer(9) },
      () => ["the", "old", "path", "wind"][random.integer(4)],
    );
    words.splice(random.integer(words.length), 0, random.integer(8) === 0 ? "fog" : topic === "sea" ? "wave" : "slope");
    return { text: words.join(" "), topic };
  });
}

const ENCODERS = {
  "from scratch": { kind: "transformer", hidden: 8, heads: 2, vocabulary: { minimumCount: 1 }, dropout: 0.1 },
  "on a frozen BERT": { kind: "bert", trainableLayers: 1 },
};

test("texts, from scratch and on a frozen BERT: killed during training, a run resumes and ends with the numbers of one that was not", {
  timeout: 120_000,
}, async () => {
  const folder = temporaryFolder();
  const rows = notes();
  const lines = rows.map(({ text, topic }) => `${text},${topic}\n`);
  const data = writeInto(folder, "notes.csv", `text,topic\n${lines.join("")}`);
  const texts = rows.map(({ text }) => text);
  const bert = join(folder, "small");
  writeSmallBert(bert, texts);
  const runs = Object.entries(ENCODERS).map(async ([name, encoder]) => {
    const config = writeInto(folder, `${encoder.kind}.json`, { ...SMALL, encoder });
    const model = encoder.kind === "bert" ? ["--model", bert] : [];
    const options = ["--data", data, "--text", "text", "--label", "topic", "--config", config, ...model];
    const { killed, whole } = await killedAndNot("text", options, SMALL.epochs);
    expect(numbers(killed), name).toEqual(numbers(whole));
    expect(killed, name).toMatchObject({ active: { requested: 0.25, realised: 0.25, count: 2 } });
    expect(killed.trace, name).toHaveLength(SMALL.epochs);
  });
  await Promise.all(runs);
});
