import { mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { temporaryFolder, writeInto } from "../../test/command-line.ts";
import { readRequest } from "./request-options.ts";

const here = process.cwd();
afterEach(() => process.chdir(here));

/** The name that the settings record, and the folder in which it is looked for. */
async function read(model: string, modelDir?: string): Promise<[unknown, string | undefined]> {
  const { config, source } = await readRequest({ model, ...(modelDir === undefined ? {} : { modelDir }) });
  return [(config as { encoder: { model: string } }).encoder.model, source.modelDir];
}

describe("--model", () => {
  test("is a path; or a name, of a folder with a model where the command is called unless --model-dir is given", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "mine"));
    writeInto(join(folder, "mine"), "config.json", {});
    mkdirSync(join(folder, "other"));
    process.chdir(folder);
    const there = process.cwd();
    for (const model of ["./mine", "mine/", join(there, "mine")]) {
      expect(await read(model, "models"), model).toEqual(["mine", there]);
    }
    expect(await read("mine")).toEqual(["mine", there]);
    expect(await read("mine", "models")).toEqual(["mine", "models"]);
    expect(await read("other", "models")).toEqual(["other", "models"]);
    expect(await read("all-minilm-l6-v2")).toEqual(["all-minilm-l6-v2", undefined]);
    expect(await read(".")).toEqual([basename(there), dirname(there)]);
  });
});
