/** A number may differ from what is written by half a unit of the last digit. */
function agrees(value: unknown, token: string): boolean {
  if (typeof value !== "number") return String(value) === token;
  const [mantissa = "", exponent = "0"] = token.split("e");
  const unit = 10 ** (Number(exponent) - (mantissa.split(".")[1]?.length ?? 0));
  return Math.abs(value - Number(token)) <= 0.5 * unit * (1 + 1e-6);
}

function flatten(values: readonly unknown[]): unknown[] {
  return values.flatMap((value) =>
    Array.isArray(value) ? flatten(value) : ArrayBuffer.isView(value) ? [...(value as Float32Array)] : [value],
  );
}

/**
 * Stands in an example for `console.log(values); // expected`.
 *
 * @param expected - numbers, `true` and `false`, separated by blanks or commas
 * @throws Error when what would have been printed does not agree
 */
export function printed(expected: string, ...values: readonly unknown[]): void {
  const tokens = expected.split(/[\s,]+/);
  const flat = flatten(values);
  if (flat.length !== tokens.length || !tokens.every((token, i) => agrees(flat[i], token))) {
    throw new Error(`the example says that it prints "${expected}", but it prints "${flat.join(" ")}"`);
  }
}
