import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BackendError } from "@l0gm/backend";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder, writeInto } from "../../test/command-line.ts";
import { runCommand } from "./command.ts";
import { MissingRequirement } from "./missing-requirement.ts";
import { fetchWheel, unpackWheel, WHEELS, type Wheel } from "./wheel.ts";

const CONTENT = "the wheel";
const WHEEL: Wheel = {
  requirement: "tensorflow-cpu==2.15.1",
  file: "tensorflow_cpu.whl",
  sha256: createHash("sha256").update(CONTENT).digest("hex"),
};

const python = (await runCommand("python3", ["--version"])).failure === undefined ? "python3" : undefined;

// A stand-in for Python is a program with a first line that names its interpreter.
describe.skipIf(process.platform === "win32")("fetchWheel", () => {
  let folder: string;

  beforeEach(() => {
    folder = temporaryFolder();
  });

  /** Stands for Python: `-m pip download` leaves a file with this content, or fails where there is none; calls are counted. */
  function fakePython(content: string | undefined): { path: string; calls: () => number } {
    const place = temporaryFolder();
    const log = join(place, "calls");
    const path = join(place, "python.cjs");
    const program = `#!${process.execPath}
const { appendFileSync, writeFileSync } = require("node:fs");
appendFileSync(${JSON.stringify(log)}, "x");
const [dest] = process.argv.slice(-1);
${content === undefined ? "process.exit(1);" : `writeFileSync(dest + "/${WHEEL.file}", ${JSON.stringify(content)});`}`;
    writeFileSync(path, program, { mode: 0o755 });
    return { path, calls: () => (existsSync(log) ? readFileSync(log, "utf8").length : 0) };
  }

  it("downloads once", async () => {
    const { path: python, calls } = fakePython(CONTENT);
    const path = await fetchWheel(WHEEL, { python, folder });
    expect(readFileSync(path, "utf8")).toBe(CONTENT);
    expect(await fetchWheel(WHEEL, { python, folder })).toBe(path);
    expect(calls()).toBe(1);
    expect(readdirSync(folder)).toEqual([WHEEL.file]);
  });

  it("does not trust what a download that was cut short left", async () => {
    writeInto(folder, WHEEL.file, "the wh");
    const { path: python, calls } = fakePython(CONTENT);
    expect(readFileSync(await fetchWheel(WHEEL, { python, folder }), "utf8")).toBe(CONTENT);
    expect(calls()).toBe(1);
  });

  it("refuses another file than the one it knows, and keeps nothing of it", async () => {
    const failure = fetchWheel(WHEEL, { python: fakePython("another").path, folder });
    await expect(failure).rejects.toThrow(BackendError);
    await expect(failure).rejects.not.toThrow(MissingRequirement);
    await expect(failure).rejects.toMatchObject({ expected: `${WHEEL.file} with SHA-256 ${WHEEL.sha256}` });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("tells a machine that cannot download from a wrong download", async () => {
    const failure = fetchWheel(WHEEL, { python: fakePython(undefined).path, folder });
    await expect(failure).rejects.toThrow(MissingRequirement);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe.skipIf(python === undefined)("unpackWheel", () => {
  it("takes TensorFlow's libraries and the headers of its C interface", async () => {
    const folder = temporaryFolder();
    const names = [
      "tensorflow/libtensorflow_cc.so.2",
      "tensorflow/libtensorflow_framework.so.2",
      "tensorflow/include/tensorflow/c/c_api.h",
      "tensorflow/include/tsl/platform/ctstring.h",
      "tensorflow/include/external/other.h",
      "tensorflow/python/ops/a.py",
    ];
    const wheel = join(folder, "a.whl");
    const pack = `import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for name in sys.argv[2:]: archive.writestr(name, name)`;
    await runCommand("python3", ["-c", pack, wheel, ...names]);
    const target = join(folder, "deps");
    await unpackWheel(wheel, { python: "python3", folder: target });
    const files = readdirSync(target, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map(({ name }) => name).sort()).toEqual([
      "c_api.h",
      "ctstring.h",
      "libtensorflow_cc.so.2",
      "libtensorflow_framework.so.2",
    ]);
    expect(readFileSync(join(target, "include", "tensorflow", "c", "c_api.h"), "utf8")).toBe(names[2]);
  });

  it("says that it failed", async () => {
    const folder = temporaryFolder();
    const wheel = writeInto(folder, "broken.whl", "no archive");
    await expect(unpackWheel(wheel, { python: "python3", folder })).rejects.toThrow(/exit code 1/);
  });
});

it("names wheels of one version, each with its checksum", () => {
  for (const { requirement, file, sha256 } of Object.values(WHEELS)) {
    const [name, version] = requirement.split("==");
    expect(file.startsWith(`${name?.replace("-", "_")}-${version}-`)).toBe(true);
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  }
});
