import { join } from "node:path";
import { expect, test } from "vitest";
import { Peer, PeerFailure } from "./peer.ts";
import { MEASURED, PREPARED, RELEASED, type Workload } from "./protocol.ts";

/** A peer whose answer to each line is JavaScript of ours, with `request` in it. */
function script(body: string, first = `{ runs: "a script", versions: {} }`): { file: string; arguments: string[] } {
  const text = `
    const write = (value) => console.log(JSON.stringify(value));
    console.log("a greeting of some library");
    write(${first});
    require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const request = JSON.parse(line);
      ${body}
    });`;
  return { file: process.execPath, arguments: ["-e", text] };
}

const RELEASE = { command: "release" } as const;

test("a peer greets, answers, says when it fails, and ends with its input", async () => {
  const body = `write(request.command === "release" ? { released: true } : { fails: "cannot " + request.command });`;
  const peer = await Peer.start(script(body), 10);
  expect(peer.ready.runs).toBe("a script");
  expect(await peer.ask(RELEASE, RELEASED)).toEqual({ released: true });
  const measure = peer.ask({ command: "measure", untimed: 0, repetitions: 1, limit: 1 }, MEASURED);
  await expect(measure).rejects.toThrow(new PeerFailure("cannot measure"));
  expect(await peer.ask(RELEASE, RELEASED)).toEqual({ released: true });
  await peer.end();
  expect(peer.ended).toMatch(/ended with code 0/);
});

test("a peer that dies, answers nonsense or is silent is a failure that says so", async () => {
  const dies = await Peer.start(script(`console.error("out of memory"); process.exit(3);`), 10);
  await expect(dies.ask(RELEASE, RELEASED)).rejects.toThrow(/ended with code 3.*out of memory/s);
  await expect(dies.ask(RELEASE, RELEASED)).rejects.toThrow(/ended with code 3/);
  await dies.end();

  const other = await Peer.start(script(`write({ times: [] });`), 10);
  await expect(other.ask(RELEASE, RELEASED)).rejects.toThrow(/another than was asked for: {"times":\[\]}/);
  await other.end();

  const silent = await Peer.start(script(""), 1);
  await expect(silent.ask(RELEASE, RELEASED)).rejects.toThrow("no answer in 1 s");
  await silent.end();
});

test("one that is not there, or says at once that it cannot, does not start", async () => {
  await expect(Peer.start({ file: "/no/such/python", arguments: [] }, 10)).rejects.toThrow(/ENOENT/);
  await expect(Peer.start(script("", `{ fails: "no PyTorch" }`), 10)).rejects.toThrow(new PeerFailure("no PyTorch"));
});

const WORKER = join(import.meta.dirname, "worker.ts");

test("stock kernels with plain operations, and ours with fused ones, train the same model", async () => {
  const node = (...args: string[]): { file: string; arguments: string[] } => ({
    file: process.execPath,
    arguments: ["--conditions=@l0gm/source", "--import", "tsx", WORKER, ...args],
  });
  const workload: Workload = { model: "mlp" };
  const checks: number[][] = [];
  for (const command of [node("stock"), node("ours", "1"), node("plain", "2")]) {
    const peer = await Peer.start(command, 100);
    const prepared = await peer.ask({ command: "prepare", workload }, PREPARED);
    checks.push([...prepared.checks]);
    const { times } = await peer.ask({ command: "measure", untimed: 1, repetitions: 2, limit: 10_000 }, MEASURED);
    expect(times).toHaveLength(2);
    await peer.ask(RELEASE, RELEASED);
    const nothing = peer.ask({ command: "measure", untimed: 0, repetitions: 1, limit: 1 }, MEASURED);
    await expect(nothing).rejects.toThrow("nothing is prepared");
    await peer.end();
  }
  // PyTorch's, to five places.
  for (const [first, second] of checks) {
    expect(first).toBeCloseTo(0.79409, 5);
    expect(second).toBeCloseTo(0.78272, 5);
  }
}, 300_000);
