import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { planRun } from "../run/spec.ts";
import { showProgress } from "./progress.ts";

const spec = {
  benchmark: "adult",
  method: { kind: "dense" },
  seed: 2,
  split: "official",
  config: {} as never,
  source: {},
} as const;
const run = planRun(spec, { name: "adult", checksum: "" }, "code", "out");

function stream(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  let text = "";
  const writable = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const shape = { isTTY, columns: 120, cursorTo: () => true, clearLine: () => true, moveCursor: () => true };
  return { stream: Object.assign(writable, shape) as unknown as NodeJS.WriteStream, text: () => text };
}

test("without a terminal, a line when a run starts and one when it ends", () => {
  const { stream: out, text } = stream(false);
  const progress = showProgress(2, out);
  progress.onStart(run);
  progress.onEpoch(run, { epoch: 1, epochs: 4, validationNll: 0.5 });
  progress.onEnd({ run, state: "failed", failure: { message: "why", wrongInput: false } });
  progress.onEnd({ run, state: "reused" });
  progress.stop();
  expect(text()).toBe(
    "adult dense-seed2: started\n[1/2] adult dense-seed2: failed: why\n[2/2] adult dense-seed2: was done before\n",
  );
});

test("on a terminal, bars", () => {
  const { stream: out, text } = stream(true);
  const progress = showProgress(2, out);
  progress.onStart(run);
  progress.onEpoch(run, { epoch: 1, epochs: 4, validationNll: 0.5 });
  progress.onEnd({ run, state: "done" });
  progress.stop();
  expect(text()).toMatch("all runs");
});
