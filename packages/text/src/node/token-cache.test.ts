import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeSafetensors, FormatError } from "@l0gm/core";
import { expect, onTestFinished, test, vi } from "vitest";
import { tokenize } from "../dataset.ts";
import { buildTokenizer } from "../vocabulary.ts";
import { cacheTokens } from "./token-cache.ts";

const data = {
  texts: ["a good film", "a bad, bad film", "film"],
  labels: Int32Array.of(1, 0, 1),
  classes: ["negative", "positive"],
};
const make = (maximumLength = 64) => buildTokenizer(data.texts, { minimumCount: 1, maximumLength });

test("gives what tokenize gives, and does it once for the same texts and tokenizer", async () => {
  const directory = mkdtempSync(join(tmpdir(), "l0gm-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const expected = tokenize(data, make());
  expect(await cacheTokens(data, make(), directory)).toEqual(expected);
  const again = make();
  const encode = vi.spyOn(again, "encode");
  expect(await cacheTokens(data, again, directory)).toEqual(expected);
  expect(encode).not.toHaveBeenCalled();
  await cacheTokens(data, make(4), directory);
  await cacheTokens({ ...data, texts: ["x", "y", "z"] }, make(), directory);
  const pairs = { ...data, pairs: ["film", "film", "a"] };
  expect(await cacheTokens(pairs, make(), directory)).toEqual(tokenize(pairs, make()));
  expect(await cacheTokens(pairs, make(), directory)).toEqual(tokenize(pairs, make()));
  const files = readdirSync(directory);
  expect(files).toHaveLength(4);
  for (const file of files) {
    const bytes = readFileSync(join(directory, file));
    // The last id of the last text, or its segment: a token like any other.
    bytes.writeInt32LE(bytes.readInt32LE(bytes.length - 4) ^ 1, bytes.length - 4);
    writeFileSync(join(directory, file), bytes);
  }
  await expect(cacheTokens(data, make(), directory)).rejects.toThrow(/SHA-256.*Remove the file/s);
  for (const file of files) truncateSync(join(directory, file), 40);
  await expect(cacheTokens(data, make(), directory)).rejects.toThrow(FormatError);
  for (const file of files) writeFileSync(join(directory, file), encodeSafetensors(new Map()));
  await expect(cacheTokens(data, make(), directory)).rejects.toThrow(/integers called lengths/);
  const one = { ...data, texts: ["a\0film"], labels: Int32Array.of(1) };
  const two = { ...data, texts: ["a", "film"], labels: Int32Array.of(1, 0) };
  await cacheTokens(one, make(), directory);
  expect((await cacheTokens(two, make(), directory)).sequences).toHaveLength(2);
});
