import { ConfigError, DataError, Random, sha256 } from "@l0gm/core";
import { decodeHTML } from "entities";
import { filesOfArchive, kindOf, namesIn, readBytes } from "#files";
import type { LabelledTexts } from "./dataset.ts";
import { decodeUtf8 } from "./decode.ts";
import { readParquet } from "./parquet.ts";

const CLASSES = ["negative", "positive"] as const;
const FOLDERS = ["neg", "pos"] as const;
const HALVES = ["train", "test"] as const;

/** Reviews of each class in each half. */
const REVIEWS = 12_500;

const ADDRESS = "https://ai.stanford.edu/~amaas/data/sentiment/";

/** Options of {@link loadImdb}. */
export interface ImdbOptions {
  /** Share of the training half that becomes the validation split. @defaultValue 0.1 */
  readonly validation?: number;
  /** Seed of that split. @defaultValue 0 */
  readonly seed?: number;
}

/** The Large Movie Review Dataset. */
export interface Imdb {
  readonly train: LabelledTexts;
  readonly validation: LabelledTexts;
  readonly test: LabelledTexts;
  /** Rows of `test`, ascending, whose text is also, byte for byte, one of the training half. */
  readonly testRowsAlsoInTrain: readonly number[];
  /** SHA-256, in hexadecimal, of all reviews with their classes; the same for every form of the data. */
  readonly checksum: string;
}

interface Review {
  readonly text: string;
  /** 0 or 1. */
  readonly label: number;
}

type Halves = Readonly<Record<(typeof HALVES)[number], Review[]>>;

/** A review as its author saw it: breaks of lines are white space, and entities are characters. */
export function plainText(review: string): string {
  return decodeHTML(review.replace(/<br\s*\/?>/gi, "\n"));
}

function place(path: string): { half: (typeof HALVES)[number]; label: number } | undefined {
  const [name = "", kind = "", half = ""] = path.split(/[\\/]/).reverse();
  const label = (FOLDERS as readonly string[]).indexOf(kind);
  const found = HALVES.find((each) => each === half);
  return found !== undefined && label >= 0 && name.endsWith(".txt") ? { half: found, label } : undefined;
}

async function fromArchive(path: string): Promise<Halves> {
  const halves: Halves = { train: [], test: [] };
  for await (const file of filesOfArchive(path)) {
    const at = place(file.path);
    if (at === undefined) continue;
    halves[at.half].push({ text: decodeUtf8(file.bytes, `${path}: ${file.path}`), label: at.label });
  }
  return halves;
}

async function fromFolder(folder: string): Promise<Halves> {
  const halves: Halves = { train: [], test: [] };
  for (const half of HALVES) {
    for (const [label, kind] of FOLDERS.entries()) {
      const directory = `${folder}/${half}/${kind}`;
      const names = (await namesIn(directory)).filter((name) => name.endsWith(".txt"));
      // A few hundred at once: one by one, 50,000 files take a minute.
      for (let start = 0; start < names.length; start += 256) {
        const paths = names.slice(start, start + 256).map((name) => `${directory}/${name}`);
        const read = await Promise.all(paths.map(async (path) => decodeUtf8(await readBytes(path), path)));
        halves[half].push(...read.map((text) => ({ text, label })));
      }
    }
  }
  return halves;
}

async function fromParquet(folder: string, names: readonly string[]): Promise<Halves> {
  const halves: Halves = { train: [], test: [] };
  for (const half of HALVES) {
    for (const name of names.filter((each) => each.startsWith(`${half}-`))) {
      const path = `${folder}/${name}`;
      const rows = await readParquet(await readBytes(path), ["text", "label"], path);
      for (const [i, { text, label }] of rows.entries()) {
        const code = Number(label);
        if (typeof text !== "string" || (code !== 0 && code !== 1)) {
          const expected = "a text, and a label that is 0 or 1";
          throw new DataError({ where: `${path}, row ${i}`, expected, received: `${typeof text} and ${label}` });
        }
        halves[half].push({ text, label: code });
      }
    }
  }
  return halves;
}

async function readHalves(path: string): Promise<Halves> {
  const folder = path.replace(/[\\/]+$/, "");
  if ((await kindOf(folder)) === "file") return await fromArchive(folder);
  for (const root of [folder, `${folder}/aclImdb`]) {
    if ((await kindOf(`${root}/train/pos`)) === "folder") return await fromFolder(root);
  }
  for (const root of [folder, `${folder}/plain_text`]) {
    const names = (await namesIn(root)).filter((name) => name.endsWith(".parquet"));
    if (names.length > 0) return await fromParquet(root, names);
  }
  const archive = (await namesIn(folder)).find((name) => /^aclImdb.*\.tar\.gz$/.test(name));
  if (archive !== undefined) return await fromArchive(`${folder}/${archive}`);
  throw new DataError({
    where: "loadImdb",
    expected: "aclImdb with train and test, its tar.gz, or train-*.parquet and test-*.parquet",
    received: `none of them at ${path}`,
    hint: `The data set's page is ${ADDRESS}.`,
  });
}

function checkCounts(halves: Halves, path: string): void {
  for (const half of HALVES) {
    const counts = FOLDERS.map((_, label) => halves[half].filter((review) => review.label === label).length);
    if (counts.every((count) => count === REVIEWS)) continue;
    throw new DataError({
      where: `${path}: ${half}`,
      expected: `${REVIEWS} negative and ${REVIEWS} positive reviews`,
      received: `${counts[0]} and ${counts[1]}`,
      hint: `The data are cut off or others; the originals are at ${ADDRESS}.`,
    });
  }
}

/** The same order whatever form the data came in; files are sorted by class, which no batch should be. */
function ordered(reviews: readonly Review[], random: Random): Review[] {
  const sorted = [...reviews].sort((a, b) => a.label - b.label || (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
  return random.shuffle(sorted);
}

async function checksumOf(halves: Halves): Promise<string> {
  const lines = HALVES.flatMap((half) => halves[half].map(({ text, label }) => JSON.stringify([half, label, text])));
  return await sha256(new TextEncoder().encode(lines.sort().join("\n")));
}

function asTexts(reviews: readonly Review[]): LabelledTexts {
  return {
    texts: reviews.map(({ text }) => plainText(text)),
    labels: Int32Array.from(reviews, ({ label }) => label),
    classes: CLASSES,
  };
}

/**
 * Loads the Large Movie Review Dataset of A. Maas, R. Daly, P. Pham, D. Huang, A. Ng and C. Potts (ACL 2011): 25,000 reviews to train with
 * and 25,000 to test, half of each positive. Validation reviews are cut from the training half, with the classes' shares kept. Rows are in
 * an order of their own, the same for every form of the data. Markup of line breaks is white space, and entities are characters.
 *
 * @param path - the folder `aclImdb`, its tar.gz, a folder of `train-*.parquet` and `test-*.parquet`, or a folder that holds one of these
 * @throws DataError when a file is absent, malformed, cut off or another
 * @throws ConfigError when `validation` is not between 0 and 1
 *
 * @example
 * ```ts
 * declare const folder: string;
 * const { train, test } = await loadImdb(folder, { validation: 0.1, seed: 0 });
 * ```
 */
export async function loadImdb(path: string, { validation: share = 0.1, seed = 0 }: ImdbOptions = {}): Promise<Imdb> {
  if (!(share > 0 && share < 1)) {
    throw new ConfigError({ where: "loadImdb", expected: "validation between 0 and 1", received: share });
  }
  const halves = await readHalves(path);
  checkCounts(halves, path);
  const random = Random.from(seed, "split", "imdb");
  const reviews = ordered(halves.train, random);
  const test = ordered(halves.test, Random.from(0, "split", "imdb test"));
  const taken = CLASSES.map(() => 0);
  const cut = Math.round(share * REVIEWS);
  const isValidation = reviews.map(({ label }) => {
    const count = (taken[label] ?? 0) + 1;
    taken[label] = count;
    return count <= cut;
  });
  const known = new Set(reviews.map(({ text }) => text));
  return {
    // Once more, since the class that is complete first leaves the other to itself for some rows.
    train: asTexts(random.shuffle(reviews.filter((_, row) => !isValidation[row]))),
    validation: asTexts(reviews.filter((_, row) => isValidation[row])),
    test: asTexts(test),
    testRowsAlsoInTrain: test.flatMap(({ text }, row) => (known.has(text) ? [row] : [])),
    checksum: await checksumOf(halves),
  };
}
