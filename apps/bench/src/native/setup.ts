/**
 * `pnpm setup:native`: makes the bench's tfjs-node-gpu usable, by its own download or else by a build from source.
 *
 * Exit code 0: native TensorFlow loads and computes; 1: something failed; 2: this machine lacks what a build needs, which is named.
 */
import { Command } from "commander";
import { Installation } from "./installation.ts";
import { MissingRequirement } from "./missing-requirement.ts";
import { installOfficially } from "./official.ts";
import { buildFromSource, hasVariant } from "./source-build.ts";

interface Options {
  readonly cuda: boolean;
  readonly source: boolean;
}

async function setUp({ cuda, source }: Options): Promise<string> {
  const variant = cuda ? "cuda" : "cpu";
  const installation = new Installation();
  const before = await installation.probe();
  if ("about" in before && (!cuda || hasVariant(installation, variant))) return `${before.about}: already there`;
  const name = `@tensorflow/tfjs-node-gpu ${installation.manifest.version}`;
  if (source) {
    console.log(`${name}: building from source`);
  } else {
    console.log(`${name}: trying its own install`);
    const why = await installOfficially(installation);
    const now = await installation.probe();
    if (why === undefined && "about" in now) return now.about;
    console.log(`  not possible: ${why}\n${name}: building from source`);
  }
  return await buildFromSource(installation, variant);
}

const program = new Command("setup:native")
  .description(
    "makes native TensorFlow usable: by tfjs-node-gpu's own install, or else built from source against a Python wheel",
  )
  .option("--cuda", "build against the wheel of TensorFlow for CUDA 12.2 (cuDNN 8.9 has to be there, too)", false)
  .option("--source", "build from source without trying the package's own install", false);

try {
  const about = await setUp(program.parse().opts<Options>());
  console.log(
    `${about}\nuseBackend("tensorflow") finds it from the bench; pnpm test:native runs the tests of core and of BERT on it`,
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof MissingRequirement ? 2 : 1;
}
