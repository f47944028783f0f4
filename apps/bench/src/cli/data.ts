import { DataError } from "@l0gm/core";
import { Command } from "commander";
import { DATA_SETS, type DataSet } from "../data/catalogue.ts";
import { dataSet, digestFile, filePath, findFolder, requireFolder, searchedFolders } from "../data/folders.ts";
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
    .action((name: string, { dataDir }: DataOptions) => {
      process.stdout.write(`${name} is there already: ${fetchSet(dataSet(name), dataDir)}\n`);
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

/** Every set of the catalogue ships with this package, so there is nothing to download: what is missing was removed. */
function fetchSet(set: DataSet, dataDir: string | undefined): string {
  const folder = findFolder(set, dataDir);
  if (folder !== undefined) return folder;
  throw new DataError({
    where: `data fetch ${set.name}`,
    expected: "the copy that ships with l0gm",
    received: `none in ${set.shipped}`,
    hint: `Take ${set.files.map(({ name }) => name).join(" and ")} from ${set.address} and put them into ${searchedFolders(set, dataDir)[0]}.`,
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
  let wrong = 0;
  for (const file of set.files) {
    const path = filePath(folder, file) ?? "";
    const { sha256, bytes } = await digestFile(path);
    const right = sha256 === file.sha256 && bytes === file.bytes;
    if (!right) wrong++;
    const found = right ? "right" : `WRONG, expected ${file.bytes} bytes, SHA-256 ${file.sha256}`;
    process.stdout.write(`${path}: ${bytes} bytes, SHA-256 ${sha256}: ${found}\n`);
  }
  return wrong;
}
