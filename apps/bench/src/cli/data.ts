import { DataError } from "@l0gm/core";
import { Command } from "commander";
import { DATA_SETS, type DataSet } from "../data/catalogue.ts";
import { fetchArchive, recordedChecksum } from "../data/fetch-archive.ts";
import {
  archivePath,
  dataSet,
  digestFile,
  filePath,
  findFolder,
  requireFolder,
  searchedFolders,
} from "../data/folders.ts";
import { downloadProgress } from "./download-progress.ts";
import { EXIT } from "./exit.ts";
import { DATA_DIR_OPTION } from "./options.ts";

interface DataOptions {
  readonly dataDir?: string;
}

export function dataCommand(): Command {
  const command = new Command("data").description("data sets: where they are, and whether they are the right ones");
  command
    .command("list")
    .description("all data sets, and the folder of each that is there")
    .addOption(DATA_DIR_OPTION)
    .action(({ dataDir }: DataOptions) => {
      for (const set of DATA_SETS) process.stdout.write(`${describe(set, dataDir)}\n`);
    });
  command
    .command("fetch")
    .description("make a data set available")
    .argument("<name>", DATA_SETS.map(({ name }) => name).join(", "))
    .addOption(DATA_DIR_OPTION)
    .action(async (name: string, { dataDir }: DataOptions) => {
      process.stdout.write(`${await fetchSet(dataSet(name), dataDir)}\n`);
    });
  command
    .command("verify")
    .description("compare sizes and checksums")
    .argument("[name...]", "all that are there when none is named")
    .addOption(DATA_DIR_OPTION)
    .action(async (names: string[], { dataDir }: DataOptions) => {
      const sets =
        names.length > 0 ? names.map(dataSet) : DATA_SETS.filter((set) => findFolder(set, dataDir) !== undefined);
      let wrong = 0;
      for (const set of sets) wrong += await verify(set, requireFolder(set, dataDir));
      if (wrong > 0) process.exitCode = EXIT.usage;
    });
  return command;
}

/** @returns what was done */
async function fetchSet(set: DataSet, dataDir: string | undefined): Promise<string> {
  const folder = findFolder(set, dataDir);
  if (folder !== undefined) return `${set.name} is there already: ${folder}`;
  const [first = ""] = searchedFolders(set, dataDir);
  if (set.archive !== undefined) {
    const sha256 = await fetchArchive(set.archive, first, downloadProgress());
    return `${set.name} is in ${first}; SHA-256 ${sha256}`;
  }
  const files = set.files.map(({ name }) => name).join(", ");
  throw new DataError({
    where: `data fetch ${set.name}`,
    expected: set.shipped === undefined ? "a copy on this machine" : "the copy that ships with l0gm",
    received: `none in ${searchedFolders(set, dataDir).join(", ")}`,
    hint: `Nobody offers these files for download as they are. Their source is ${set.address}; put ${files} into ${first}.`,
  });
}

function describe(set: DataSet, dataDir: string | undefined): string {
  const folder = findFolder(set, dataDir);
  return [
    `${set.name}: ${set.title}`,
    `  ${folder === undefined ? `not there; l0gm data fetch ${set.name}` : `in ${folder}`}`,
    `  official address ${set.address}; licence ${set.licence}`,
    `  looked for in ${searchedFolders(set, dataDir).join(", ")}`,
  ].join("\n");
}

/** @returns how many files are not what they should be */
async function verify(set: DataSet, folder: string): Promise<number> {
  const archive = archivePath(folder, set);
  if (archive !== undefined && set.archive !== undefined) {
    return (await report(archive, { sha256: await recordedChecksum(archive) })) ? 0 : 1;
  }
  let wrong = 0;
  for (const file of set.files) if (!(await report(filePath(folder, file) ?? "", file))) wrong++;
  return wrong;
}

/** @returns whether the file is what it should be, as far as that is known */
async function report(
  path: string,
  expected: { readonly bytes?: number | undefined; readonly sha256?: string | undefined },
): Promise<boolean> {
  const { sha256, bytes } = await digestFile(path);
  const right = (expected.sha256 ?? sha256) === sha256 && (expected.bytes ?? bytes) === bytes;
  const wanted = [expected.bytes && `${expected.bytes} bytes`, `SHA-256 ${expected.sha256}`].filter(Boolean).join(", ");
  const readable = "readable; no checksum is known to compare with";
  const found = right ? (expected.sha256 === undefined ? readable : "right") : `WRONG, expected ${wanted}`;
  process.stdout.write(`${path}: ${bytes} bytes, SHA-256 ${sha256}: ${found}\n`);
  return right;
}
