import { readFileSync } from "node:fs";

/** A ```ts block of a Markdown file or of a TSDoc comment. */
export interface CodeBlock {
  /** Line of the file on which the block's first line of code stands, from 1. */
  readonly line: number;
  readonly code: string;
}

/** Every ```ts block of a Markdown text. */
export function codeBlocks(text: string): CodeBlock[] {
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => ({
    line: text.slice(0, match.index).split("\n").length + 1,
    code: match[1] ?? "",
  }));
}

/** Every ```ts block inside the TSDoc comments of a TypeScript file. */
export function tsdocExamples(file: string): CodeBlock[] {
  // Blank out everything but the comments, so that line numbers stay those of the file.
  const comments: string[] = [];
  let inside = false;
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (/^\s*\/\*\*/.test(line)) inside = true;
    comments.push(inside ? line.replace(/^\s*\* ?/, "") : "");
    if (line.includes("*/")) inside = false;
  }
  return codeBlocks(comments.join("\n"));
}
