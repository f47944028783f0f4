import { Argument, Command } from "commander";
import { z } from "zod";
import { resultSchema } from "../result.ts";
import { TASKS, taskNamed } from "../tasks/registry.ts";
import { printJson } from "./options.ts";

export function schemaCommand(): Command {
  return new Command("schema")
    .description("print the JSON schema of a run's settings (--config) or of its document (result.json)")
    .addArgument(new Argument("<what>").choices(["config", "result"]))
    .argument("[benchmark]", `settings of ${TASKS.map(({ name }) => name).join(" or ")}`, "adult")
    .action((what: string, benchmark: string) => {
      // A config file states what differs from the defaults: the input side of the schema.
      printJson(
        what === "config"
          ? z.toJSONSchema(taskNamed(benchmark).config, { io: "input" })
          : z.toJSONSchema(resultSchema, { io: "output" }),
      );
    });
}
