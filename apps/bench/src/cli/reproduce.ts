import { Command, Option } from "commander";
import { defaultWorkers } from "../sweep/pool.ts";
import { PROFILES, type ProfileName, requestsOf } from "../sweep/profiles.ts";
import { count, DATA_DIR_OPTION, JSON_OPTION } from "./options.ts";

interface ReproduceOptions {
  readonly profile: ProfileName;
  readonly workers: number;
  readonly dataDir?: string;
  readonly out: string;
  readonly json?: boolean;
}

export function reproduceCommand(): Command {
  const profiles = Object.entries(PROFILES).map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`);
  return new Command("reproduce")
    .description("train the benchmarks and write the verdict table and the HTML report")
    .addOption(new Option("--profile <name>", "how much to train").choices(Object.keys(PROFILES)).default("quick"))
    .option("--workers <n>", "runs side by side", count, defaultWorkers())
    .addOption(DATA_DIR_OPTION)
    .option("--out <folder>", "where the runs' folders and the report go", "l0gm-report")
    .addOption(JSON_OPTION)
    .addHelpText("after", `\nProfiles:\n${profiles.join("\n")}\n`)
    .action(reproduce);
}

async function reproduce({ profile: name, workers, dataDir, out, json = false }: ReproduceOptions): Promise<void> {
  const { requests, skipped } = requestsOf(name, dataDir === undefined ? {} : { dataDir });
  for (const { benchmark, reason } of skipped) process.stderr.write(`skipped: ${benchmark}, ${reason}\n`);
  const { runGrid } = await import("./grid.ts");
  await runGrid(requests, { workers, out, json, profile: name, skipped, title: `L0GM: ${name} profile` });
}
