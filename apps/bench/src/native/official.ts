import { delimiter, join } from "node:path";
import { showCommand } from "./command.ts";
import type { Installation } from "./installation.ts";

/** Settings that lead the package's download elsewhere; whether their host is reachable is then not for us to judge. */
export const DETOURS: readonly string[] = [
  ...["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"],
  ...["TFJS_NODE_CDN_STORAGE", "TFJS_NODE_BASE_URI", "CDN_STORAGE"],
];

/** Ample for some 400 MB; the package's script itself waits without end. */
const LONGEST = 30 * 60_000;

/** @returns why the host of the package's files does not answer; undefined where it does */
async function unreachable(host: string): Promise<string | undefined> {
  if (DETOURS.some((name) => process.env[name])) return undefined;
  const { origin } = new URL(host);
  try {
    await fetch(origin, { method: "HEAD", signal: AbortSignal.timeout(10_000) });
    return undefined;
  } catch (error) {
    const { cause } = Object(error) as { cause?: unknown };
    const why = Object(cause ?? error) as { code?: unknown; message?: unknown };
    return `${origin} does not answer (${why.code ?? why.message})`;
  }
}

/**
 * Installs the package as its makers mean it: TensorFlow and the library in between, both downloaded.
 *
 * @returns why that did not work, with the package as it was before; undefined where it did
 */
export async function installOfficially(installation: Installation): Promise<string | undefined> {
  const away = await unreachable(installation.manifest.binary.host);
  if (away !== undefined) return away;
  installation.clear();
  const { folder } = installation;
  const PATH = [join(folder, "node_modules", ".bin"), process.env["PATH"]].join(delimiter);
  const script = ["scripts/install.js", "gpu", "download"];
  const options = { cwd: folder, env: { ...process.env, PATH }, timeout: LONGEST };
  const { failure } = await showCommand(process.execPath, script, options);
  installation.detachManifest();
  const probe = failure === undefined ? await installation.probe() : { failure: `its install script: ${failure}` };
  if ("about" in probe) return undefined;
  installation.clear();
  return probe.failure;
}
