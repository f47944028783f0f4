import { doctor, formatDoctor } from "@l0gm/backend";
import { Command } from "commander";
import { DATA_SETS } from "../data/catalogue.ts";
import { findFolder } from "../data/folders.ts";
import { DATA_DIR_OPTION, JSON_OPTION, printJson } from "./options.ts";

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("what this machine offers: engine, backends and why one was chosen, data sets")
    .addOption(DATA_DIR_OPTION)
    .addOption(JSON_OPTION)
    .action(async ({ dataDir, json }: { dataDir?: string; json?: boolean }) => {
      const report = await doctor();
      const data = DATA_SETS.map((set) => ({ name: set.name, folder: findFolder(set, dataDir) ?? null }));
      if (json === true) {
        printJson({ ...report, data });
        return;
      }
      const lines = data.map(({ name, folder }) => `data ${name}: ${folder ?? `not there; l0gm data fetch ${name}`}`);
      process.stdout.write(`${[formatDoctor(report), ...lines].join("\n")}\n`);
    });
}
