import { ConfigError } from "../errors.ts";

/**
 * The SHA-256 of bytes, by which files and data are recognised.
 *
 * @returns 64 hexadecimal digits
 * @throws ConfigError when `crypto.subtle` is missing (a page that is not served over HTTPS)
 *
 * @example
 * ```ts
 * console.log((await sha256(new TextEncoder().encode("abc"))).slice(0, 8)); // ba7816bf
 * ```
 */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const { subtle } = globalThis.crypto ?? {};
  if (subtle === undefined) {
    throw new ConfigError({
      where: "SHA-256",
      expected: "crypto.subtle",
      received: "none",
      hint: "serve the page over HTTPS or from localhost",
    });
  }
  const hash = new Uint8Array(await subtle.digest("SHA-256", new Uint8Array(bytes)));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
