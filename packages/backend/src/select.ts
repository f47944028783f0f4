import { backend as activeBackend, getBackend, getGradient, setBackend } from "@tensorflow/tfjs-core";
import { BackendError } from "./errors.ts";
import { registerMissingGradients } from "./gradients/register.ts";
import { canStartHelpers } from "./kernels/helper-threads.ts";
import { installKernels, type KernelReport } from "./kernels/install.ts";
import { withSharedMemory } from "./kernels/shared-memory.ts";
import { loadNative, NATIVE_HINT } from "./native/load.ts";

/** The backends that {@link useBackend} can choose. */
export type BackendName = "tensorflow" | "wasm" | "cpu";

/** What to ask {@link useBackend} for: a backend by name, or the fastest that is there. */
export type BackendChoice = "auto" | BackendName;

/** Settings of {@link useBackend}. */
export interface BackendOptions {
  /**
   * Where a browser finds tfjs's `.wasm` files: a folder's address, ending in a slash. Node finds them by itself.
   */
  readonly wasmFolder?: string;
  /**
   * Threads that share the work of the WebAssembly kernels, this one included; results do not depend on their number. Only Node has more
   * than one, and only where the WebAssembly backend is first started here. Left out, it stays as it is, at first 1.
   */
  readonly threads?: number;
  /**
   * Multiply and add in one instruction (relaxed SIMD) where engine and machine can. Faster, but the last bits then differ between
   * machines. Left out, it stays as it is, at first true.
   */
  readonly fma?: boolean;
}

/** One backend that was tried. */
export interface BackendAttempt {
  readonly name: BackendName;
  readonly available: boolean;
  readonly reason: string;
}

/** What {@link useBackend} chose, and why. */
export interface BackendReport {
  /** The backend in force. */
  readonly backend: BackendName;
  readonly choice: BackendChoice;
  readonly reason: string;
  /** The backends tried, in order; the last is the one in force. */
  readonly attempts: readonly BackendAttempt[];
  readonly kernels: KernelReport;
}

/** From the fastest to the one that always runs. */
export const BACKENDS: readonly BackendName[] = ["tensorflow", "wasm", "cpu"];

/**
 * Makes a backend known to TensorFlow.js without starting it.
 *
 * @returns why it is available
 * @throws Error saying why it is not
 */
export async function loadBackend(name: BackendName): Promise<string> {
  switch (name) {
    case "tensorflow": {
      const native = loadNative();
      if (native.package === undefined) throw new Error(native.reason);
      return native.reason;
    }
    case "wasm":
      if (!Reflect.has(globalThis, "WebAssembly")) throw new Error("this engine has no WebAssembly");
      await import("@tensorflow/tfjs-backend-wasm");
      return "the engine has WebAssembly";
    case "cpu":
      await import("@tensorflow/tfjs-backend-cpu");
      return "plain JavaScript runs everywhere";
  }
}

async function activate(name: BackendName): Promise<void> {
  if (!(await setBackend(name))) throw new Error(`TensorFlow.js could not initialise its backend "${name}"`);
}

async function startWasm({ wasmFolder, threads, fma }: BackendOptions): Promise<KernelReport> {
  const { setWasmPaths, version_wasm } = await import("@tensorflow/tfjs-backend-wasm");
  if (wasmFolder !== undefined) setWasmPaths(wasmFolder);
  const start = (): Promise<void> => activate("wasm");
  await ((threads ?? 1) > 1 && canStartHelpers() ? withSharedMemory(start) : start());
  return await installKernels(activeBackend(), version_wasm, { threads, fma });
}

async function start(name: BackendName, options: BackendOptions): Promise<KernelReport> {
  if (name === "wasm") return await startWasm(options);
  await activate(name);
  return {
    ours: [],
    reason: name === "cpu" ? "plain JavaScript kernels" : "TensorFlow's own kernels",
    threads: 1,
    fma: false,
  };
}

/** How to get a backend that is not there. */
export function hintFor(name: BackendName): string {
  switch (name) {
    case "tensorflow":
      return NATIVE_HINT;
    case "wasm":
      return "use an engine with WebAssembly; in a browser, serve tfjs's .wasm files and pass their address as wasmFolder";
    case "cpu":
      return "reinstall @tensorflow/tfjs-backend-cpu";
  }
}

/** tfjs-core registers no gradients in Node; tfjs-layers, which our models need anyway, registers all that tfjs has. */
async function registerGradients(): Promise<void> {
  if (getGradient("BatchMatMul") === undefined) await import("@tensorflow/tfjs-layers");
  registerMissingGradients();
}

let inForce: BackendReport | undefined;
let settings = "";

/** The report of the last {@link useBackend}, as long as its backend is still the active one. */
export function reportInForce(): BackendReport | undefined {
  return inForce !== undefined && getBackend() === inForce.backend ? inForce : undefined;
}

/** What went wrong, in one line. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  // tfjs's WebAssembly loader rejects with a plain object.
  return String(Reflect.get(Object(error), "message") ?? error);
}

/**
 * Chooses and starts the TensorFlow.js backend, registers the gradients, and, on WebAssembly, puts our faster kernels in force.
 * `"auto"` takes native TensorFlow where `@tensorflow/tfjs-node-gpu` or `@tensorflow/tfjs-node` is installed and loads, else
 * WebAssembly, else plain JavaScript. Call it before the first tensor is made; a second call with the same choice costs nothing.
 *
 * @returns what was chosen and why, with every backend that was tried
 * @throws BackendError when the backend asked for by name cannot be had, saying how to get it
 *
 * @example
 * ```ts
 * import { useBackend } from "@l0gm/backend";
 *
 * const report = await useBackend();
 * console.log(report.backend, report.reason);
 * ```
 */
export async function useBackend(choice: BackendChoice = "auto", options: BackendOptions = {}): Promise<BackendReport> {
  if (choice !== "auto" && !BACKENDS.includes(choice)) {
    throw new BackendError({
      where: "useBackend",
      expected: `one of "auto", ${BACKENDS.map((name) => `"${name}"`).join(", ")}`,
      received: choice,
    });
  }
  const { threads = 1 } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new BackendError({ where: "useBackend", expected: "threads that are an integer from 1", received: threads });
  }
  const current = reportInForce();
  const asked = JSON.stringify([choice, options.threads, options.fma]);
  if (current !== undefined && settings === asked) return current;
  await registerGradients();
  const attempts: BackendAttempt[] = [];
  for (const name of choice === "auto" ? BACKENDS : [choice]) {
    try {
      const reason = await loadBackend(name);
      const kernels = await start(name, options);
      attempts.push({ name, available: true, reason });
      const passedOver = attempts.slice(0, -1).map((attempt) => `${attempt.name} is not available: ${attempt.reason}`);
      const why = choice === "auto" ? ["the fastest that is available", ...passedOver].join("; ") : "asked for by name";
      settings = asked;
      inForce = { backend: name, choice, reason: why, attempts, kernels };
      return inForce;
    } catch (error) {
      const reason = messageOf(error);
      if (choice !== "auto") {
        throw new BackendError(
          { where: "useBackend", expected: `backend "${name}"`, received: reason, hint: hintFor(name) },
          { cause: error },
        );
      }
      attempts.push({ name, available: false, reason });
    }
  }
  throw new BackendError({
    where: "useBackend",
    expected: `one of ${BACKENDS.join(", ")} to start`,
    received: attempts.map((attempt) => `${attempt.name}: ${attempt.reason}`).join("; "),
  });
}
