import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { BackendError } from "@l0gm/backend";
import { digestFile } from "../data/folders.ts";
import { showCommand } from "./command.ts";
import { MissingRequirement } from "./missing-requirement.ts";

/** A Python wheel that holds TensorFlow's libraries and headers. */
export interface Wheel {
  readonly requirement: string;
  readonly file: string;
  readonly sha256: string;
}

/** The last TensorFlow whose wheels are of the generation that tfjs-node 4.22 is written for; libraries are the same for every Python. */
export const WHEELS = {
  cpu: {
    requirement: "tensorflow-cpu==2.15.1",
    file: "tensorflow_cpu-2.15.1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256: "54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26",
  },
  cuda: {
    requirement: "tensorflow==2.15.1",
    file: "tensorflow-2.15.1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256: "bb0edd69103c154245c5f209f0507355cc68ba7e4de350084bc31edc562478e4",
  },
} as const satisfies Record<string, Wheel>;

/** Makes pip take the wheel of one Python on one system, whichever Python it runs in. */
const TARGET = [
  ...["--only-binary=:all:", "--platform=manylinux2014_x86_64"],
  ...["--implementation=cp", "--python-version=3.11", "--abi=cp311"],
];

async function verified(path: string, { sha256 }: Wheel): Promise<boolean> {
  return existsSync(path) && (await digestFile(path)).sha256 === sha256;
}

/**
 * Gets a wheel through pip, once: what lies in the folder with the right checksum is taken, anything else is fetched anew.
 *
 * @returns its path
 * @throws MissingRequirement when pip cannot fetch it
 * @throws BackendError when what it fetches is not what it should be
 */
export async function fetchWheel(
  wheel: Wheel,
  { python, folder }: { python: string; folder: string },
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, wheel.file);
  if (await verified(path, wheel)) return path;
  await rm(path, { force: true });
  const partial = await mkdtemp(join(folder, "partial-"));
  try {
    const quiet = process.stderr.isTTY ? [] : ["--progress-bar=off"];
    const { failure } = await showCommand(python, [
      ...["-m", "pip", "download", "--disable-pip-version-check", "--no-cache-dir", "--no-deps", ...quiet],
      ...[...TARGET, wheel.requirement, "--dest", partial],
    ]);
    if (failure !== undefined) {
      throw new MissingRequirement({
        where: "setup:native",
        expected: `pip to download ${wheel.requirement}`,
        received: failure,
        hint: "pip says above why; its index has to be reachable",
      });
    }
    const fetched = join(partial, wheel.file);
    if (!(await verified(fetched, wheel))) {
      throw new BackendError({
        where: "setup:native",
        expected: `${wheel.file} with SHA-256 ${wheel.sha256}`,
        received: `${(await readdir(partial)).join(", ") || "no file"} with another`,
        hint: "the index that pip is set up for may change packages, or the download was cut short",
      });
    }
    await rename(fetched, path);
    return path;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Python, because Node reads no zip archives: takes out the libraries and the headers of TensorFlow's C interface. */
const UNPACK = `
import os, shutil, sys, zipfile
wheel, target = sys.argv[1:]
headers = tuple("tensorflow/include/" + part for part in ("tensorflow/c/", "tensorflow/core/platform/", "tsl/c/", "tsl/platform/"))
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name in ("tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2"):
            path = os.path.join(target, "lib", os.path.basename(name))
        elif name.startswith(headers) and name.endswith(".h"):
            path = os.path.join(target, os.path.relpath(name, "tensorflow"))
        else:
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(name) as source, open(path, "wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
`;

/**
 * Unpacks what tfjs-node needs of a wheel into `lib` and `include`.
 *
 * @throws BackendError when Python cannot, for example on a full disk
 */
export async function unpackWheel(path: string, { python, folder }: { python: string; folder: string }): Promise<void> {
  const { failure } = await showCommand(python, ["-c", UNPACK, path, folder]);
  if (failure === undefined) return;
  throw new BackendError({
    where: "setup:native",
    expected: "to unpack TensorFlow's libraries",
    received: failure,
    hint: "Python says above why; some 700 MB of free disk are needed",
  });
}
