import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeSafetensors, FormatError } from "@l0gm/core";
import { expect, onTestFinished, test, vi } from "vitest";
import { tokenize } from "../dataset.ts";
import { buildTokenizer } from "../vocabulary.ts";
import { cacheTokens } from "./token-cache.ts";

/** Stands for the version of the packages, which a test may change. */
const versions = vi.hoisted(() => ({ l0gm: "1.0.0" }));
vi.mock("@l0gm/core", async (original) => ({
  ...(await original<typeof import("@l0gm/core")>()),
  get VERSION() {
    return versions.l0gm;
  },
}));

const data = {
  texts: ["a good film", "a bad, bad film", "film"],
  labels: Int32Array.of(1, 0, 1),
  classes: ["negative", "positive"],
};
const make = (maximumLength = 64) => buildTokenizer(data.texts, { minimumCount: 1, maximumLength });

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "l0gm-test-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test("gives what tokenize gives, and does it once for the same texts and tokenizer", async () => {
  const directory = folder();
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
  for (const file of files) truncateSync(join(directory, file), 40);
  await expect(cacheTokens(data, make(), directory)).rejects.toThrow(FormatError);
  for (const file of files) writeFileSync(join(directory, file), encodeSafetensors(new Map()));
  await expect(cacheTokens(data, make(), directory)).rejects.toThrow(/integers called lengths/);
  const one = { ...data, texts: ["a\0film"], labels: Int32Array.of(1) };
  const two = { ...data, texts: ["a", "film"], labels: Int32Array.of(1, 0) };
  await cacheTokens(one, make(), directory);
  expect((await cacheTokens(two, make(), directory)).sequences).toHaveLength(2);
});

test("finds out tokens with one bit turned, whichever it is", async () => {
  const directory = folder();
  await cacheTokens(data, make(), directory);
  const file = join(directory, readdirSync(directory)[0] ?? "");
  const whole = readFileSync(file);
  const numbers = 8 + Number(whole.readBigUInt64LE(0));
  for (let at = numbers; at < whole.length; at++) {
    const bytes = Uint8Array.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    await expect(cacheTokens(data, make(), directory), `byte ${at}`).rejects.toThrow(FormatError);
  }
  writeFileSync(file, whole);
  expect(await cacheTokens(data, make(), directory)).toEqual(tokenize(data, make()));
});

test("does not read what another version of L0GM wrote", async () => {
  const directory = folder();
  await cacheTokens(data, make(), directory);
  versions.l0gm = "1.0.1";
  const again = make();
  const encode = vi.spyOn(again, "encode");
  await cacheTokens(data, again, directory);
  expect(encode).toHaveBeenCalled();
  expect(readdirSync(directory)).toHaveLength(2);
});
