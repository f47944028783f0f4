import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { BackendError } from "@l0gm/backend";
import envPaths from "env-paths";
import lockfile from "proper-lockfile";
import { runCommand, showCommand } from "./command.ts";
import type { Installation } from "./installation.ts";
import { MissingRequirement } from "./missing-requirement.ts";
import { fetchWheel, unpackWheel, WHEELS } from "./wheel.ts";

/** Which of TensorFlow's wheels to build against. */
export type Variant = keyof typeof WHEELS;

interface Tools {
  readonly python: string;
  readonly compiler: string;
}

/** The first command that does what is asked of it. */
async function findCommand(names: readonly string[], args: readonly string[]): Promise<string | undefined> {
  for (const name of names) if ((await runCommand(name, args)).failure === undefined) return name;
  return undefined;
}

/** Whether TensorFlow's wheels fit: they are linked against the C library of the GNU project. */
function hasGlibc(): boolean {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime !== undefined;
}

/**
 * Finds what a build needs, before anything is downloaded.
 *
 * @throws MissingRequirement that names everything that is missing, and how to get it
 */
export async function findTools(): Promise<Tools> {
  if (process.platform !== "linux" || process.arch !== "x64" || !hasGlibc()) {
    throw new MissingRequirement({
      where: "setup:native",
      expected: "Linux on x64 with glibc, for which TensorFlow's wheels are built, or the package's own download",
      received: `${process.platform} ${process.arch}`,
    });
  }
  const python = await findCommand(["python3", "python"], ["-m", "pip", "--version"]);
  const { CXX } = process.env;
  const compiler = await findCommand(CXX ? [CXX] : ["c++", "g++", "clang++"], ["--version"]);
  if (python !== undefined && compiler !== undefined) return { python, compiler };
  const missing = [
    python === undefined ? "Python 3 with pip (Debian, Ubuntu: apt install python3-pip)" : [],
    compiler === undefined ? `a C++ compiler${CXX ? `, where CXX is ${CXX}` : ""} (apt install g++)` : [],
  ].flat();
  throw new MissingRequirement({
    where: "setup:native",
    expected: "the tools of a build from source",
    received: "not all of them",
    hint: `missing: ${missing.join(" and ")}`,
  });
}

/**
 * Compiles the library between Node and TensorFlow. Node's interface for such libraries is the same in all versions, so its headers come
 * from npm and no build system has to fetch those of one version.
 */
async function compileBinding(installation: Installation, compiler: string, build: string): Promise<void> {
  const { folder, napiVersion } = installation;
  const { include_dir } = createRequire(import.meta.url)("node-api-headers") as { include_dir: string };
  const libraries = join(build, "deps", "lib");
  for (const name of ["tensorflow", "tensorflow_framework"]) {
    const versioned = name === "tensorflow" ? "libtensorflow_cc.so.2" : `lib${name}.so.2`;
    await symlink(versioned, join(libraries, `lib${name}.so`));
  }
  const target = join(build, "lib", `napi-v${napiVersion}`);
  await mkdir(target, { recursive: true });
  const { failure } = await showCommand(compiler, [
    ...["-std=c++17", "-O2", "-fPIC", "-shared", `-DNAPI_VERSION=${napiVersion}`],
    ...["-isystem", include_dir, "-isystem", join(build, "deps", "include")],
    ...["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => join(folder, "binding", name)),
    ...["-L", libraries, "-ltensorflow", "-ltensorflow_framework", "-Wl,-rpath,$ORIGIN/../../deps/lib"],
    ...["-o", join(target, "tfjs_binding.node")],
  ]);
  if (failure === undefined) return;
  throw new BackendError({
    where: "setup:native",
    expected: "to compile tfjs-node-gpu's sources",
    received: failure,
    hint: "the compiler says above why; it has to know C++17, and Linux's own headers (apt install libc6-dev) have to be there",
  });
}

/** The user's folder for what can be made anew. All clones of the repository share the builds in it. */
function cacheFolder(): string {
  return join(envPaths("l0gm", { suffix: "" }).cache, "native");
}

/** Milliseconds after which the lock of a set-up that was killed counts for nothing. */
const STALE = 30_000;

/** What a build is made from. */
function buildName({ manifest, napiVersion }: Installation, variant: Variant): string {
  const { requirement, sha256 } = WHEELS[variant];
  const tensorflow = `${requirement.replace("==", "-")}-${sha256.slice(0, 12)}`;
  return `tfjs-node-gpu-${manifest.version}-napi-v${napiVersion}-${tensorflow}`;
}

/** Whether the package uses a build of this variant, or one that does not come from here. */
export function hasVariant(installation: Installation, variant: Variant): boolean {
  return installation.placed === undefined || installation.placed === buildName(installation, variant);
}

async function makeBuild(installation: Installation, variant: Variant, build: string): Promise<void> {
  const { python, compiler } = await findTools();
  const wheel = WHEELS[variant];
  const cache = cacheFolder();
  console.log(`  getting the wheel of ${wheel.requirement}`);
  const path = await fetchWheel(wheel, { python, folder: join(cache, "wheels") });
  // A build has its name only when it is whole.
  const partial = await mkdtemp(join(cache, "partial-"));
  try {
    console.log("  unpacking TensorFlow's libraries and headers");
    await unpackWheel(path, { python, folder: join(partial, "deps") });
    console.log(`  compiling with ${compiler}`);
    await compileBinding(installation, compiler, partial);
    await rename(partial, build);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  await rm(path);
}

/**
 * Builds the package's library from source against the libraries in one of TensorFlow's wheels, and lets the package use it. A build from
 * before is used as it is, where it loads.
 *
 * @returns what is now there
 * @throws MissingRequirement saying what the machine lacks
 * @throws BackendError saying what failed
 */
export async function buildFromSource(installation: Installation, variant: Variant): Promise<string> {
  const cache = cacheFolder();
  await mkdir(cache, { recursive: true });
  if (await lockfile.check(cache, { stale: STALE })) console.log("  waiting for another set-up to end");
  const release = await lockfile.lock(cache, { stale: STALE, retries: { retries: 900, factor: 1, minTimeout: 1000 } });
  try {
    for (const name of await readdir(cache)) {
      if (name.startsWith("partial-")) await rm(join(cache, name), { recursive: true });
    }
    const build = join(cache, buildName(installation, variant));
    if (existsSync(build)) {
      console.log(`  using the build in ${build}`);
      installation.place(build);
      const probe = await installation.probe();
      if ("about" in probe) return probe.about;
      console.log(`  which does not work (${probe.failure}): made anew`);
      await rm(build, { recursive: true });
    }
    await makeBuild(installation, variant, build);
    installation.place(build);
    const probe = await installation.probe();
    if ("about" in probe) return probe.about;
    throw new BackendError({
      where: "setup:native",
      expected: `a build against ${WHEELS[variant].requirement} that loads`,
      received: probe.failure,
    });
  } finally {
    await release();
  }
}
