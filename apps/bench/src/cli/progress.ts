import { MultiBar, Presets, type SingleBar } from "cli-progress";
import { type PlannedRun, runLabel } from "../run/spec.ts";
import type { SweepHooks } from "../sweep/pool.ts";

/** Shows on standard error how runs come along. */
export interface Progress extends Required<SweepHooks> {
  /** Leaves the terminal as it was. */
  stop(): void;
}

/** Seconds between two lines of one run where there is no terminal. */
const LINE_INTERVAL = 15;

/** Bars on a terminal, plain lines elsewhere. */
export function showProgress(total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY === true ? bars(total, stream) : lines(total, stream);
}

function title(run: PlannedRun): string {
  return `${run.benchmark} ${runLabel(run)}`;
}

function bars(total: number, stream: NodeJS.WriteStream): Progress {
  const format = "{bar} {percentage}% | {title} {note}";
  const all = new MultiBar(
    { format, stream, hideCursor: true, clearOnComplete: true, barsize: 24 },
    Presets.shades_classic,
  );
  const sum = total > 1 ? all.create(total, 0, { title: "all runs", note: "" }) : undefined;
  const shown = new Map<PlannedRun, SingleBar>();
  return {
    onStart: (run) => {
      shown.set(run, all.create(1, 0, { title: title(run), note: "" }));
    },
    onEpoch: (run, { epoch, epochs, validationNll }) => {
      const bar = shown.get(run);
      bar?.setTotal(epochs);
      bar?.update(epoch, { note: `epoch ${epoch}/${epochs}, validation NLL ${validationNll.toFixed(4)}` });
    },
    onPrepare: (run, { what, done, rows }) => {
      const bar = shown.get(run);
      bar?.setTotal(rows);
      bar?.update(done, { note: what });
    },
    onEnd: ({ run, state, failure }) => {
      const bar = shown.get(run);
      if (bar !== undefined) all.remove(bar);
      if (state === "failed") all.log(`${title(run)} failed: ${failure?.message}\n`);
      sum?.increment();
    },
    stop: () => all.stop(),
  };
}

function lines(total: number, stream: NodeJS.WriteStream): Progress {
  const last = new Map<PlannedRun, number>();
  let ended = 0;
  const write = (run: PlannedRun, text: string): void => {
    if (performance.now() - (last.get(run) ?? 0) < 1000 * LINE_INTERVAL) return;
    last.set(run, performance.now());
    stream.write(`${title(run)}: ${text}\n`);
  };
  return {
    onStart: (run) => {
      last.set(run, performance.now());
      stream.write(`${title(run)}: started\n`);
    },
    onEpoch: (run, { epoch, epochs, validationNll }) =>
      write(run, `epoch ${epoch} of ${epochs}, validation NLL ${validationNll.toFixed(4)}`),
    onPrepare: (run, { what, done, rows }) => write(run, `${what}, ${done} of ${rows}`),
    onEnd: ({ run, state, failure }) => {
      ended++;
      const words = { done: "done", reused: "was done before", failed: `failed: ${failure?.message}` };
      stream.write(`[${ended}/${total}] ${title(run)}: ${words[state]}\n`);
    },
    stop: () => {},
  };
}
