/**
 * Finds WebGPU and TensorFlow.js's backend for it, which are optional. Nothing here imports them in a way that a bundler would see: a
 * browser's application imports the backend itself, and in Node both are looked for where the application has its packages.
 */

import { findBackendFactory, type KernelBackend, registerBackend } from "@tensorflow/tfjs-core";

/** TensorFlow.js's backend for WebGPU. */
const BACKEND = "@tensorflow/tfjs-backend-webgpu";
/** WebGPU itself, for Node: Dawn, which Chromium has inside. */
const DAWN = "webgpu";

/** What came of looking for an adapter. */
export interface WebGpuOutcome {
  readonly reason: string;
  /** What the adapter calls itself. */
  readonly adapter: string;
  /** It computes on the CPU, which our WebAssembly kernels do faster. */
  readonly software: boolean;
}

/** The part of WebGPU that we use; TypeScript declares it for browsers only. */
interface Gpu {
  requestAdapter(options?: { readonly powerPreference: string }): Promise<Adapter | null>;
}

interface Adapter {
  readonly info?: AdapterInfo;
  /** Where older engines say it. */
  readonly isFallbackAdapter?: boolean;
  readonly features: { has(name: string): boolean };
  readonly limits: Readonly<Record<string, number>>;
  requestDevice(descriptor: object): Promise<object>;
}

interface AdapterInfo {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly device?: string;
  readonly description?: string;
  readonly isFallbackAdapter?: boolean;
}

interface Dawn {
  create(options: readonly string[]): Gpu;
  readonly globals: object;
}

interface BackendModule {
  readonly WebGPUBackend: new (device: object, info: AdapterInfo | undefined) => KernelBackend;
}

/** How to get the WebGPU backend. */
export function webGpuHint(): string {
  return isNode()
    ? `npm install ${BACKEND} ${DAWN} in the application, on a machine with a GPU and its Vulkan, Metal or Direct3D 12 driver`
    : `import "${BACKEND}" in the application before useBackend is called, in a browser with WebGPU and on a page served by https`;
}

function isNode(): boolean {
  return globalThis.process?.versions?.node !== undefined;
}

function isRegistered(): boolean {
  // Its type does not say so, but it gives null for a name that it does not know.
  return Boolean(findBackendFactory("webgpu"));
}

function gpuOfNavigator(): Gpu | undefined {
  return Reflect.get(Object(Reflect.get(globalThis, "navigator")), "gpu") as Gpu | undefined;
}

/** The file of an installed package: the application's, or else one beside this package. */
function resolveInstalled(name: string): string {
  const { createRequire } = globalThis.process.getBuiltinModule("node:module");
  const { join } = globalThis.process.getBuiltinModule("node:path");
  for (const from of [join(process.cwd(), "package.json"), import.meta.url]) {
    try {
      return createRequire(from).resolve(name);
    } catch {
      // The next place.
    }
  }
  throw new Error(`${name} is not installed`);
}

/** By file. Loaded once: a second instance would know nothing of the first one's devices. */
const started = new Map<string, Promise<Gpu>>();

async function startDawn(path: string): Promise<Gpu> {
  const { href } = globalThis.process.getBuiltinModule("node:url").pathToFileURL(path);
  const { create, globals } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ href)) as Dawn;
  // The backend reads WebGPU's constants and classes where a browser has them.
  Object.assign(globalThis, globals);
  return create([]);
}

/** WebGPU of Node: what the application has put in place, or else Dawn. */
async function gpuOfNode(): Promise<Gpu> {
  const own = gpuOfNavigator();
  if (own !== undefined) return own;
  const path = resolveInstalled(DAWN);
  const gpu = started.get(path) ?? startDawn(path);
  started.set(path, gpu);
  try {
    return await gpu;
  } catch (error) {
    started.delete(path);
    throw new Error(`${DAWN} is installed but does not load (${error instanceof Error ? error.message : error})`);
  }
}

async function requestAdapter(gpu: Gpu): Promise<Adapter> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) throw new Error("WebGPU is there, but has no adapter: no GPU, or no driver that it can use");
  return adapter;
}

function nameOf({ info = {} }: Adapter): string {
  const { description, vendor, architecture, device } = info;
  return description || [vendor, architecture, device].filter(Boolean).join(" ") || "an adapter without a name";
}

/** Known by name where the engine does not tell. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render/i;

function isSoftware(adapter: Adapter): boolean {
  const { info = {}, isFallbackAdapter = false } = adapter;
  const names = [info.vendor, info.architecture, info.device, info.description].join(" ");
  return (info.isFallbackAdapter ?? isFallbackAdapter) || SOFTWARE.test(names);
}

/** Runs `make` with `navigator.gpu` in place, which the backend looks for. Left there, it would keep Node from ending. */
function withNavigator<T>(gpu: Gpu, make: () => T): T {
  if (gpuOfNavigator() !== undefined) return make();
  const had = Reflect.has(globalThis, "navigator");
  if (!had) Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  const navigator = Reflect.get(globalThis, "navigator") as object;
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  try {
    return make();
  } finally {
    Reflect.deleteProperty(navigator, "gpu");
    if (!had) Reflect.deleteProperty(globalThis, "navigator");
  }
}

/** More than WebGPU promises everywhere: the backend makes use of whatever the adapter has. */
const LIMITS = [
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupSizeX",
  "maxComputeInvocationsPerWorkgroup",
];

async function makeBackend(gpu: Gpu, { WebGPUBackend }: BackendModule): Promise<KernelBackend> {
  // An adapter gives one device, so a backend that is made anew needs a new one.
  const adapter = await requestAdapter(gpu);
  const device = await adapter.requestDevice({
    requiredFeatures: ["timestamp-query"].filter((name) => adapter.features.has(name)),
    requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
  });
  return withNavigator(gpu, () => new WebGPUBackend(device, adapter.info));
}

/** Makes the backend known to TensorFlow.js: a browser's application has done so, in Node nobody has. */
function register(gpu: Gpu): void {
  if (isRegistered()) return;
  const { createRequire } = globalThis.process.getBuiltinModule("node:module");
  const path = resolveInstalled(BACKEND);
  // Registers itself only where `navigator.gpu` is.
  const backend = createRequire(path)(path) as BackendModule;
  if (!isRegistered()) registerBackend("webgpu", () => makeBackend(gpu, backend));
}

/**
 * Makes the WebGPU backend known to TensorFlow.js without starting it.
 *
 * @throws Error saying why it can not be had
 */
export async function loadWebGpu(): Promise<WebGpuOutcome> {
  if (!isRegistered()) {
    if (isNode()) resolveInstalled(BACKEND);
    else if (gpuOfNavigator() !== undefined) throw new Error(`the application does not import ${BACKEND}`);
  }
  const gpu = isNode() ? await gpuOfNode() : gpuOfNavigator();
  if (gpu === undefined) throw new Error("this browser has no WebGPU, or the page is not served by https");
  const found = await requestAdapter(gpu);
  register(gpu);
  const adapter = nameOf(found);
  const software = isSoftware(found);
  return { adapter, software, reason: `WebGPU has an adapter${software ? " in software" : ""}: ${adapter}` };
}
