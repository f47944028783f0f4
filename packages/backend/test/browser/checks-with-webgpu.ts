/** The same application, with the one line that brings WebGPU. */
import "@tensorflow/tfjs-backend-webgpu";

// Not as the line above: our package.json says that its modules do nothing by being imported, and a bundler believes it.
await import("./checks.ts");
