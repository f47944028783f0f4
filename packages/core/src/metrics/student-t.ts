/**
 * The half-width t of the central interval that holds the probability `level` of Student's distribution, P(|T| <= t) = level.
 *
 * For whole degrees of freedom that probability is a finite sum of positive terms (Abramowitz and Stegun 26.7.3 and 26.7.4), so
 * no incomplete beta function is needed. It is concave in t > 0: Newton's method from 0 climbs to the solution without overshooting.
 * Ten digits at the usual levels, up to a million degrees of freedom; the time grows with their number.
 *
 * @param level - in (0, 1)
 * @param degrees - degrees of freedom, a positive integer
 */
export function studentQuantile(level: number, degrees: number): number {
  for (let t = 0; ; ) {
    const { within, slope } = central(t, degrees);
    const next = t + (level - within) / slope;
    // Rounding ends the climb: no step upwards is left.
    if (!(next > t * (1 + 1e-14))) return t;
    t = next;
  }
}

/** P(|T| <= t) and its derivative by t. */
function central(t: number, degrees: number): { within: number; slope: number } {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const sine = Math.sin(angle);
  const square = 1 / (1 + (t * t) / degrees);
  const odd = degrees % 2;
  // The product of all ratios is also what the density's constant is made of.
  let term = odd === 1 ? Math.sqrt(square) : 1;
  let coefficient = 1;
  let sum = 0;
  for (let n = odd; n < degrees - 1; n += 2) {
    sum += term;
    const ratio = (n + 1) / (n + 2);
    term *= ratio * square;
    coefficient *= ratio;
  }
  const scale = odd === 1 ? 2 / Math.PI : 1;
  return {
    within: odd === 1 ? scale * (angle + sine * sum) : sine * sum,
    slope: scale * coefficient * Math.sqrt(degrees) * square ** ((degrees + 1) / 2),
  };
}
