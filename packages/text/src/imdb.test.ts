import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, DataError } from "@l0gm/core";
import { expect, onTestFinished, test } from "vitest";
import { loadImdb, plainText } from "./imdb.ts";

const folder = join(process.env["L0GM_DATA_DIR"] ?? "", "imdb");
const there = process.env["L0GM_DATA_DIR"] !== undefined && existsSync(folder);
const why = there ? "" : " (skipped: no imdb under L0GM_DATA_DIR)";

function emptyFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "l0gm-test-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test.skipIf(!there)(`reads the same from the archive and from parquet${why}`, async () => {
  const archive = await loadImdb(join(folder, "aclImdb_labeled.tar.gz"), { seed: 3 });
  const parquet = await loadImdb(join(folder, "plain_text"), { seed: 3 });
  expect(parquet).toEqual(archive);
  expect([archive.train.texts.length, archive.validation.texts.length, archive.test.texts.length]).toEqual([
    22_500, 2500, 25_000,
  ]);
  const positive = ({ labels }: typeof archive.train): number => labels.reduce((sum, label) => sum + label, 0);
  expect([archive.train, archive.validation, archive.test].map(positive)).toEqual([11_250, 1250, 12_500]);
  expect(archive.testRowsAlsoInTrain).toHaveLength(123);
  expect(archive.test.texts.some((text) => /<br|&quot;|&amp;/i.test(text))).toBe(false);
  const other = await loadImdb(folder, { seed: 4 });
  expect(other.validation.texts).not.toEqual(archive.validation.texts);
  expect([other.test, other.checksum]).toEqual([archive.test, archive.checksum]);
});

test("line breaks become white space and entities characters", () => {
  expect(plainText("Good.<br /><br />Bad &amp; &quot;ugly&quot; caf&eacute; 3 < 4")).toBe(
    'Good.\n\nBad & "ugly" caf\u00e9 3 < 4',
  );
});

test("reads the folder, and says what is wrong with it", async () => {
  const root = emptyFolder();
  await expect(loadImdb(root)).rejects.toThrow(/ai\.stanford\.edu/);
  for (const half of ["train", "test"]) {
    for (const kind of ["neg", "pos"]) {
      mkdirSync(join(root, "aclImdb", half, kind), { recursive: true });
      writeFileSync(join(root, "aclImdb", half, kind, "0_1.txt"), `${half} ${kind}`);
    }
  }
  await expect(loadImdb(root)).rejects.toThrow(/12500 negative and 12500 positive.*1 and 1/s);
  const wrong = join(root, "aclImdb", "train", "neg", "0_1.txt");
  writeFileSync(wrong, Buffer.from([0x61, 0xe9, 0x62]));
  await expect(loadImdb(root)).rejects.toThrow(DataError);
  await expect(loadImdb(root)).rejects.toThrow(/0_1\.txt.*UTF-8.*at byte 2/s);
  await expect(loadImdb(root, { validation: 1 })).rejects.toThrow(ConfigError);
});

test("an archive that is cut off, or none, is refused", async () => {
  const root = emptyFolder();
  const path = join(root, "aclImdb_v1.tar.gz");
  writeFileSync(path, "not gzip");
  await expect(loadImdb(path)).rejects.toThrow(DataError);
  await expect(loadImdb(root)).rejects.toThrow(/aclImdb_v1\.tar\.gz/);
  writeFileSync(join(root, "train-0.parquet"), "PAR1");
  await expect(loadImdb(root)).rejects.toThrow(/train-0\.parquet/);
});
