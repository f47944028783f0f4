/**
 * Compiles the kernels and writes them as a TypeScript module, `src/kernels/binaries.ts`, which is not in git. Runs after every install,
 * before every build and before the tests; does nothing when the sources are those of the last time.
 *
 * usage: node assembly/build.mjs
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, "src/kernels/binaries.ts");

const sources = readdirSync(join(root, "assembly")).map((name) => `assembly/${name}`);
const hash = createHash("sha256").update(asc.version);
for (const path of [...sources.sort(), "src/kernels/tasks.ts"])
  hash.update(path).update(readFileSync(join(root, path)));
const mark = `// sources: ${hash.digest("hex")}\n`;

/** Every module imports tfjs's memory, made shared where there are threads: see src/kernels/memory-section.ts. */
const OPTIONS = [
  ["--runtime", "stub", "--importMemory", "--sharedMemory", "--initialMemory", "1", "--maximumMemory", "65536"],
  ["--enable", "simd", "--enable", "threads", "-O3", "--uncheckedBehavior", "always", "--noAssert"],
].flat();

/** @param {string[]} options */
async function compile(options) {
  /** @type {Map<string, Uint8Array>} */
  const files = new Map();
  const { error, stderr } = await asc.main(
    ["assembly/index.ts", "--baseDir", root, "--outFile", "kernels.wasm", ...OPTIONS, ...options],
    { writeFile: (name, contents) => void files.set(name, contents), readFile: readSource },
  );
  if (error !== null) throw new Error(`${error.message}\n${stderr.toString()}`);
  const binary = files.get("kernels.wasm");
  if (binary === undefined) throw new Error("the compiler wrote no module");
  refuseData(binary);
  return Buffer.from(binary).toString("base64");
}

/** @param {string} name @param {string} folder */
function readSource(name, folder) {
  const path = join(folder, name);
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}

/**
 * AssemblyScript puts strings, static arrays and the tables of its `Math` at fixed addresses. In our modules that would be in the middle
 * of tfjs's memory.
 *
 * @param {Uint8Array} binary
 */
function refuseData(binary) {
  const DATA_SECTION = 11;
  let at = 8;
  const readLength = () => {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = binary[at++];
      length |= (byte & 127) << shift;
      if (byte < 128) return length;
    }
  };
  while (at < binary.length) {
    const section = binary[at++];
    const length = readLength();
    if (section === DATA_SECTION && binary[at] !== 0) {
      throw new Error(
        "the kernels contain static data, which would overwrite tfjs's: use no strings, arrays or Math.*",
      );
    }
    at += length;
  }
}

/** Compiles where needed. Vitest calls this before the tests. */
export async function setup() {
  if (existsSync(target) && readFileSync(target, "utf8").endsWith(mark)) return;
  const plain = await compile(["--use", "WIDE=0"]);
  const fused = await compile(["--enable", "relaxed-simd", "--use", "WIDE=0"]);
  const wide = await compile(["--enable", "relaxed-simd", "--use", "WIDE=1"]);
  const text = `/** The compiled kernels (base64), written by assembly/build.mjs. */

/** For any engine with SIMD. */
export const PLAIN: string = "${plain}";

/** For engines with relaxed SIMD: multiplies and adds in one instruction. */
export const FUSED: string = "${fused}";

/** For engines with relaxed SIMD that join two vectors of 128 bits into one of 256. */
export const WIDE: string = "${wide}";

${mark}`;
  // In one step, so that a test that runs meanwhile never reads half a file.
  writeFileSync(`${target}.${process.pid}`, text);
  renameSync(`${target}.${process.pid}`, target);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setup();
