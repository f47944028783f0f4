/**
 * Files on disk for `save`, `load` and checkpoints in Node.
 *
 * @packageDocumentation
 */

export { directory } from "./directory.ts";
