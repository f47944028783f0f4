#!/usr/bin/env node
import { createRequire } from "node:module";
import { Command } from "commander";
import { explain } from "./exit.ts";
import { runCommand } from "./run.ts";

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

const program = new Command("l0gm")
  .description("L0-gated representations: accuracy, sparsity and calibration, measured")
  .version(version)
  .option("--debug", "show where in the code an error came from")
  .showHelpAfterError("(l0gm --help lists the commands, l0gm help COMMAND the options of one)");

for (const command of [runCommand()]) program.addCommand(command);
for (const command of [program, ...program.commands]) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = explain(error, process.argv.includes("--debug"));
}
