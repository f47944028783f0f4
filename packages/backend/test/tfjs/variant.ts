/**
 * One process of `pnpm test:tfjs`: TensorFlow.js's own tests on the stock WebAssembly backend, or on ours. run.ts bundles it together with
 * the tests, so that tests, backend and kernels share one TensorFlow.js.
 */

import {
  findBackendFactory,
  type KernelBackend,
  registerBackend,
  removeBackend,
  setBackend,
} from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import { setTestEnvs } from "@tensorflow/tfjs-core/dist/jasmine_util.js";
import "@tensorflow/tfjs-backend-wasm";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Assembly, startAssembly } from "../../src/kernels/assembly.ts";
import type { WasmBackend } from "../../src/kernels/memory.ts";
import { withSharedMemory } from "../../src/kernels/shared-memory.ts";
import { useBackend } from "../../src/select.ts";
import type { Message, Order } from "./messages.ts";

/** A test file of tfjs, and the call that declares its tests. */
export type TestFile = readonly [name: string, load: () => void];

interface Spec {
  readonly id: string;
  readonly description: string;
  readonly children?: readonly Spec[];
  getFullName(): string;
}

interface SpecResult {
  readonly id: string;
  readonly status: string;
  readonly failedExpectations: readonly { readonly message: string }[];
}

interface Jasmine {
  getEnv(): {
    configure(options: object): void;
    addReporter(reporter: object): void;
    topSuite(): Spec;
    execute(): Promise<unknown>;
  };
}

function send(message: Message): void {
  process.send?.(message);
}

/** Every call is shared, however small: tfjs's tests are small, and with our thresholds a second thread would never see one. */
const SHARED_UNITS = 8;

async function startOurs(threads: number): Promise<void> {
  if (threads > 1) {
    const { run } = Assembly.prototype;
    Assembly.prototype.run = function (task, units, grain, ...values) {
      run.call(this, task, units, Math.min(grain, SHARED_UNITS), ...values);
    };
    // The tests dispose of the backend and start it anew many times; so our threads have to come with it.
    const factory = findBackendFactory("wasm");
    removeBackend("wasm");
    registerBackend(
      "wasm",
      async () => {
        const started: { backend?: KernelBackend } = {};
        await withSharedMemory(async () => {
          started.backend = await factory();
        });
        const { backend } = started;
        if (backend === undefined) throw new Error("tfjs's WebAssembly backend did not start");
        const assembly = await startAssembly(backend as unknown as WasmBackend, { threads });
        if (assembly.threads !== threads) throw new Error(`${assembly.threads} threads instead of ${threads}`);
        return backend;
      },
      2,
    );
  }
  const { kernels } = await useBackend("wasm", { threads });
  if (kernels.ours.length === 0 || kernels.threads !== threads) throw new Error(kernels.reason);
  send({ type: "kernels", reason: kernels.reason });
}

/** What identifies a test in every process: its file and full name, and its number where several share these. */
function nameSpecs(suite: Spec, file: string, names: Map<string, string>, seen: Map<string, number>): void {
  for (const child of suite.children ?? []) {
    if (child.children !== undefined) {
      nameSpecs(child, file, names, seen);
      continue;
    }
    const name = `${file}: ${child.getFullName()}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    names.set(child.id, count === 1 ? name : `${name} (${count})`);
  }
}

/** Runs the tests that the order does not leave out, in the order of their files, and tells the parent of each. */
export async function runVariant(files: readonly TestFile[]): Promise<void> {
  const order = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Order;
  const jasmine = (createRequire(order.here)("jasmine-core") as { boot(): Jasmine }).boot();
  const environment = jasmine.getEnv();
  setTestEnvs([{ name: "wasm", backendName: "wasm", isDataSync: true }]);
  if (order.variant === "stock") await setBackend("wasm");
  else await startOurs(order.threads);

  const names = new Map<string, string>();
  const seen = new Map<string, number>();
  const top = environment.topSuite();
  for (const [file, load] of files) {
    const known = top.children?.length ?? 0;
    try {
      load();
    } catch (error) {
      send({ type: "result", name: `${file}: loads`, passed: false, message: String(error) });
    }
    const children = top.children?.slice(known) ?? [];
    nameSpecs({ ...top, children }, file, names, seen);
  }
  const done = new Set(order.done);
  environment.configure({
    random: false,
    autoCleanClosures: true,
    specFilter: (spec: Spec) => !done.has(names.get(spec.id) ?? ""),
  });
  environment.addReporter({
    // jasmine also tells of those that the filter leaves out.
    specStarted({ id }: SpecResult) {
      const name = names.get(id) ?? id;
      if (!done.has(name)) send({ type: "start", name });
    },
    specDone: ({ id, status, failedExpectations }: SpecResult) => {
      // Those that the filter leaves out, and those that tfjs itself has switched off.
      if (status === "excluded" || status === "pending") return;
      const message = failedExpectations[0]?.message ?? "";
      send({ type: "result", name: names.get(id) ?? id, passed: status === "passed", message });
    },
  });
  await environment.execute();
  send({ type: "end" });
  // Timers of tests and threads of the backend must not keep the process.
  process.disconnect();
  process.exit(0);
}
