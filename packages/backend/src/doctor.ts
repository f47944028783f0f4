import { version_core } from "@tensorflow/tfjs-core";
import { whyNoHelpers } from "./kernels/helper-threads.ts";
import {
  BACKENDS,
  type BackendName,
  type BackendReport,
  hintFor,
  loadBackend,
  messageOf,
  reportInForce,
  useBackend,
} from "./select.ts";

/** The machine as far as the engine tells. */
export interface MachineReport {
  /** For example `Node v22.12.0`, or a browser's name for itself. */
  readonly engine: string;
  /** For example `linux x64`. */
  readonly platform: string;
  readonly cpus: number;
  /** Why the WebAssembly kernels can not have a second thread; absent where they can. */
  readonly oneThread?: string;
  /** Bytes; a browser does not tell. */
  readonly memory?: {
    readonly total: number;
    readonly free: number;
    /** What this process has of it. */
    readonly resident: number;
  };
}

/** One backend and whether it can be had. */
export interface BackendDiagnosis {
  readonly name: BackendName;
  readonly active: boolean;
  readonly available: boolean;
  readonly reason: string;
  /** How to get it; absent where it is available. */
  readonly hint?: string;
}

/** What {@link doctor} found. Plain data, so it can be printed as JSON. */
export interface DoctorReport {
  readonly machine: MachineReport;
  /** TensorFlow.js's version. */
  readonly tfjs: string;
  readonly active: BackendReport;
  readonly backends: readonly BackendDiagnosis[];
}

function examineMachine(): MachineReport {
  const { process } = globalThis;
  const cause = whyNoHelpers();
  const threads = cause === undefined ? {} : { oneThread: cause };
  if (process?.versions?.node === undefined) {
    const navigator = Object(Reflect.get(globalThis, "navigator"));
    return {
      engine: String(navigator.userAgent ?? "unknown"),
      platform: String(navigator.platform ?? "unknown"),
      cpus: Number(navigator.hardwareConcurrency ?? 1),
      ...threads,
    };
  }
  const { availableParallelism, freemem, totalmem } = process.getBuiltinModule("node:os");
  return {
    engine: `Node ${process.version}`,
    platform: `${process.platform} ${process.arch}`,
    cpus: availableParallelism(),
    ...threads,
    memory: { total: totalmem(), free: freemem(), resident: process.memoryUsage.rss() },
  };
}

async function diagnose(name: BackendName, active: BackendReport): Promise<BackendDiagnosis> {
  const attempt = active.attempts.find((tried) => tried.name === name);
  if (attempt?.available) return { ...attempt, active: true };
  try {
    if (attempt !== undefined) throw new Error(attempt.reason);
    return { name, active: false, available: true, reason: await loadBackend(name) };
  } catch (error) {
    return { name, active: false, available: false, reason: messageOf(error), hint: hintFor(name) };
  }
}

/**
 * Examines the machine, the backend in force and why it is, and every other backend: available or not, why, and how to get it. Where
 * {@link useBackend} has not been called yet, the default backend is started.
 *
 * @example
 * ```ts
 * import { doctor, formatDoctor } from "@l0gm/backend";
 *
 * console.log(formatDoctor(await doctor()));
 * ```
 */
export async function doctor(): Promise<DoctorReport> {
  const active = reportInForce() ?? (await useBackend());
  const backends: BackendDiagnosis[] = [];
  for (const name of BACKENDS) backends.push(await diagnose(name, active));
  return { machine: examineMachine(), tfjs: version_core, active, backends };
}

/** Threads and FMA of the kernels in force, and what could be had instead. */
function describeKernels({ active, machine }: DoctorReport): [threads: string, fma: string] {
  const { backend, kernels } = active;
  if (backend === "tensorflow" || backend === "webgpu") return ["the backend's own", "the backend's own"];
  if (backend === "cpu") return ["1, as plain JavaScript has", "no, as plain JavaScript has none"];
  const more = machine.cpus > kernels.threads ? `; useBackend("wasm", { threads: ${machine.cpus} }) for more` : "";
  const limit = machine.oneThread === undefined ? more : `; more can not be had: ${machine.oneThread}`;
  const fma = kernels.fma
    ? `yes, on vectors of ${kernels.wide ? 256 : 128} bits`
    : "no: switched off, or the engine has no relaxed SIMD";
  return [`${kernels.threads}${limit}`, kernels.ours.length === 0 ? "no: the stock kernels have none" : fma];
}

/** The report as text for a terminal, without a newline at its end. */
export function formatDoctor(report: DoctorReport): string {
  const { machine, tfjs, active, backends } = report;
  const gibibytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  const { cpus, memory } = machine;
  const free =
    memory === undefined
      ? ""
      : `, ${gibibytes(memory.free)} of ${gibibytes(memory.total)} GiB of memory free, ${gibibytes(memory.resident)} in use here`;
  const [threads, fma] = describeKernels(report);
  const rows: [title: string, text: string][] = [
    ["engine", `${machine.engine} on ${machine.platform}`],
    ["machine", `${cpus} ${cpus === 1 ? "CPU" : "CPUs"}${free}`],
    ["tfjs", tfjs],
    ["backend", `${active.backend}: ${active.reason}`],
    ["threads", threads],
    ["FMA", fma],
    ["kernels", active.kernels.reason],
  ];
  if (active.kernels.ours.length > 0) rows.push(["", `ours: ${active.kernels.ours.join(", ")}`]);
  for (const { name, available, reason, hint } of backends) {
    rows.push([name, `${available ? "available" : "not available"}: ${reason}`]);
    if (hint !== undefined) rows.push(["", `to get it: ${hint}`]);
  }
  const width = Math.max(...rows.map(([title]) => title.length));
  return rows.map(([title, text]) => `${title.padEnd(width)}  ${text}`).join("\n");
}
