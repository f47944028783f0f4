#!/usr/bin/env node
import { createRequire } from "node:module";
import { Command } from "commander";
import { dataCommand } from "./data.ts";
import { doctorCommand } from "./doctor.ts";
import { explain } from "./exit.ts";
import { predictCommand } from "./predict.ts";
import { reportCommand } from "./report.ts";
import { reproduceCommand } from "./reproduce.ts";
import { runCommand } from "./run.ts";
import { schemaCommand } from "./schema.ts";
import { sweepCommand } from "./sweep.ts";

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

const program = new Command("l0gm")
  .description("L0-gated representations: accuracy, sparsity and calibration, measured")
  .version(version)
  .exitOverride()
  .option("--debug", "show where in the code an error came from")
  .addHelpText(
    "after",
    `
Examples:
  l0gm reproduce                                        the benchmarks, a verdict and an HTML report
  l0gm run adult --target 1/8                           one model with an eighth of its dimensions
  l0gm run tabular --data my.csv --label class --path   a frontier of your own table
  l0gm sweep adult --targets 1,1/2,1/4,1/8 --seeds 5    many runs side by side

Exit codes: 0 done, 1 some runs failed (the rest are kept), 2 usage or data error, 130 interrupted
`,
  )
  .showHelpAfterError("(l0gm --help lists the commands, l0gm help COMMAND the options of one)");

const commands = [
  reproduceCommand(),
  runCommand(),
  sweepCommand(),
  reportCommand(),
  predictCommand(),
  dataCommand(),
  schemaCommand(),
  doctorCommand(),
];
for (const command of commands) program.addCommand(command);
inheritSettings(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = explain(error, process.argv.includes("--debug"));
}

/** A command that is made apart knows nothing of its parent's settings; without them it would end the process by itself. */
function inheritSettings(parent: Command): void {
  for (const command of parent.commands) inheritSettings(command.copyInheritedSettings(parent));
}
