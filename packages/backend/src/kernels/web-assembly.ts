/** The part of WebAssembly's interface that we use: TypeScript declares it for browsers only, in a library that Node does not have. */

/** A module's memory, as tfjs's and ours share one. */
export interface Memory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
}

/** A compiled module: can be sent to another thread, nothing else. */
export type Module = object;

type Bytes = Uint8Array<ArrayBuffer>;

/** What we use of the response to a `fetch`. */
export interface Download {
  arrayBuffer(): Promise<ArrayBuffer>;
}

interface WebAssemblyInterface {
  readonly Module: new (bytes: Bytes) => Module;
  readonly Memory: new (limits: { initial: number; maximum: number; shared: boolean }) => Memory;
  readonly Instance: new (module: Module, imports: object) => { readonly exports: object };
  validate(bytes: Bytes): boolean;
  instantiate: (source: unknown, imports?: object) => Promise<object>;
  /** Takes the response to a `fetch`; not every engine has it. */
  instantiateStreaming?: (source: unknown, imports?: object) => Promise<object>;
}

export const webAssembly: WebAssemblyInterface = Reflect.get(globalThis, "WebAssembly") as WebAssemblyInterface;
