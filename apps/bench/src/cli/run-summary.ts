import type { Metrics, RunResult } from "../result.ts";

/** One run's result in a few lines. */
export function describeResult({
  benchmark,
  method,
  seed,
  active,
  gates,
  dimensions,
  metrics,
  cost,
  timing,
  data,
}: RunResult): string {
  const { test } = metrics;
  const asked = active.requested === undefined ? "" : `, asked for ${active.requested}`;
  const open = gates.every((value) => value === 1)
    ? `${dimensions} dimensions`
    : `${active.count} of ${dimensions} dimensions open${asked}`;
  const { parameters, macs, latencyMs } = cost;
  return [
    `${benchmark}${data.simulated === true ? ` (${data.name})` : ""} ${method}, seed ${seed}: ${open}`,
    `  test      ${describeMetrics(test)}`,
    `  with T = ${test.temperature.toFixed(3)}: NLL ${test.temperatureScaled.nll.toFixed(4)}, ECE ${test.temperatureScaled.ece.toFixed(4)}`,
    `  compacted ${parameters.compacted} of ${parameters.dense} parameters, ${macs.compacted} of ${macs.dense} MACs a row, ` +
      `${latencyMs.compacted.toFixed(2)} ms a batch (gated ${latencyMs.gated.toFixed(2)} ms)`,
    `  ${timing.seconds.toFixed(1)} s on ${timing.backend}`,
  ].join("\n");
}

function describeMetrics({ accuracy, macroF1, auroc, nll, brier, ece, smoothEce }: Metrics): string {
  const ranking = auroc === undefined ? "" : `, AUROC ${auroc.toFixed(4)}`;
  return (
    `accuracy ${accuracy.toFixed(4)}, macro-F1 ${macroF1.toFixed(4)}${ranking}, NLL ${nll.toFixed(4)}, ` +
    `Brier ${brier.toFixed(4)}, ECE ${ece.toFixed(4)}, smooth ECE ${smoothEce.toFixed(4)}`
  );
}
