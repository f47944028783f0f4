import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { basename, delimiter, dirname, join } from "node:path";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CheckOptions, CheckResult, StockResult } from "./checks.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function findChromium(): string | undefined {
  const { CHROMIUM_PATH, PATH = "" } = process.env;
  if (CHROMIUM_PATH !== undefined) {
    if (!existsSync(CHROMIUM_PATH)) throw new Error(`CHROMIUM_PATH names ${CHROMIUM_PATH}, which is not there`);
    return CHROMIUM_PATH;
  }
  const places = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return places.find((path) => existsSync(path));
}

const executablePath = findChromium();
const why = executablePath === undefined ? " (skipped: no Chromium on PATH, and no CHROMIUM_PATH)" : "";
if (why !== "") console.warn(`in Chromium${why}`);

const isolated = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** The same page under the first part of its address, which decides what else the server sends with it. */
const SITES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plain: {},
  isolated,
  strict: { ...isolated, "Content-Security-Policy": "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'" },
};

const PAGE =
  '<!doctype html><meta charset="utf-8"><title>checks</title><script type="module" src="checks.js"></script>';

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, entry)],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    conditions: ["@l0gm/source"],
    logLevel: "error",
  });
  return outputFiles.map(({ text }) => text).join("\n");
}

const wasmFolder = dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"));

async function serve(): Promise<Server> {
  const [plain, withWebGpu] = await Promise.all([bundle("checks.ts"), bundle("checks-with-webgpu.ts")]);
  const server = createServer(async ({ url = "/" }, response) => {
    const [, site = "", app, ...rest] = new URL(url, "http://localhost").pathname.split("/");
    const file = rest.join("/");
    const send = (type: string, body: string | Buffer): void => {
      response.writeHead(200, { "Content-Type": type, ...SITES[site] }).end(body);
    };
    if (file === "") send("text/html", PAGE);
    else if (file === "checks.js") send("text/javascript", app === "webgpu" ? withWebGpu : plain);
    else if (file.endsWith(".wasm")) send("application/wasm", await readFile(join(wasmFolder, basename(file))));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

describe.skipIf(executablePath === undefined)(`in Chromium${why}`, () => {
  let server: Server | undefined;
  let browser: Browser | undefined;
  let origin = "";

  beforeAll(async () => {
    server = await serve();
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      // WebGPU on the CPU: what a machine without a GPU can run.
      args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
    });
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  /** What `use` makes of a page of its own, which has no worker left in the end. */
  async function inPage<T>(site: string, app: string, use: (page: Page) => Promise<T>): Promise<T> {
    const page = await (browser as Browser).newPage();
    const failed = new Promise<never>((_, reject) => page.on("pageerror", reject));
    try {
      await page.goto(`${origin}/${site}/${app}/`);
      await Promise.race([page.waitForFunction("globalThis.check !== undefined"), failed]);
      const result = await Promise.race([use(page), failed]);
      await expect.poll(() => page.workers().length).toBe(0);
      return result;
    } finally {
      await page.close();
    }
  }

  function run(site: string, app: string, where: "page" | "worker", options: CheckOptions): Promise<CheckResult> {
    const name = where === "page" ? "check" : "checkInWorker";
    return inPage(site, app, (page) => page.evaluate<CheckResult>(`${name}(${JSON.stringify(options)})`));
  }

  it.each(["page", "worker"] as const)("an isolated %s has threads, which change no bit and end", async (where) => {
    const result = await run("isolated", "plain", where, { choice: "wasm", threads: 2 });
    expect(result.report.kernels).toMatchObject({ threads: 2, reason: expect.stringMatching(/on 2 threads$/) });
    expect(result.report.kernels.ours).toContain("BatchMatMul");
    expect(result.difference.difference, result.difference.name).toBeLessThan(1e-5);
    expect(Object.keys(result.bits).length).toBeGreaterThan(20);
    expect(result.bits).toEqual(result.bitsOfOne);
    expect(result.started).toBe(2);
    expect(result.ended).toBe(2);
    expect(result.doctor.machine.engine).toMatch(/Chrom/);
  });

  it.each(["page", "worker"] as const)("a %s that is not isolated has one thread, and says why", async (where) => {
    const { report, difference, started } = await run("plain", "plain", where, { choice: "auto", threads: 2 });
    expect(report).toMatchObject({ backend: "wasm", kernels: { threads: 1 } });
    expect(report.kernels.reason).toMatch(/on 1 thread instead of 2: the page is not cross-origin isolated/);
    expect(report.reason).toMatch(/webgpu is not available: the application does not import/);
    expect(difference.difference, difference.name).toBeLessThan(1e-5);
    expect(started).toBe(0);
  });

  it("a page that forbids workers from a blob has one thread, and says why", async () => {
    const { report, difference } = await run("strict", "plain", "page", { choice: "wasm", threads: 2 });
    expect(report.kernels.threads).toBe(1);
    expect(report.kernels.reason).toMatch(/on 1 thread instead of 2: they did not start .*content policy/i);
    expect(report.kernels.ours).toContain("BatchMatMul");
    expect(difference.difference, difference.name).toBeLessThan(1e-5);
  });

  it("kernels of ours stay out of TensorFlow.js's threaded build, where that was started before", async () => {
    const { report, product } = await inPage("isolated", "plain", (page) =>
      page.evaluate<StockResult>("checkAfterStock()"),
    );
    expect(report.kernels).toMatchObject({ ours: [], threads: 1 });
    expect(report.kernels.reason).toMatch(/TensorFlow\.js has started its threaded build/);
    expect(product).toEqual([9, 12]);
  });

  it("WebGPU in software is not chosen by itself", async () => {
    const { report } = await run("plain", "webgpu", "page", { choice: "auto" });
    expect(report.backend).toBe("wasm");
    expect(report.reason).toMatch(/webgpu is not available: .*in software.*slower than WebAssembly/);
  });

  it("WebGPU runs plain operations in the place of fused ones, with the same results", {
    timeout: 120_000,
  }, async () => {
    const { report, difference } = await run("plain", "webgpu", "page", { choice: "webgpu" });
    expect(report).toMatchObject({ backend: "webgpu", kernels: { ours: [] } });
    expect(difference.difference, difference.name).toBeLessThan(1e-4);
  });
});
