import { DataError } from "@l0gm/core";

/** What a file of numbers without a header must hold. */
export interface NumberLayout {
  /** What messages call the file. */
  readonly name: string;
  readonly kind: "float" | "integer";
  /** Numbers of a line. @defaultValue as many as the first line has */
  readonly columns?: number;
  /** Lines, where another file states them: the result is then allocated once. */
  readonly lines?: number;
  /** The file that states them. */
  readonly linesFrom?: string;
  /** Integers run from 0 to `bound` - 1, where there is a bound. */
  readonly bound?: number;
  /** What the numbers are, for messages: "node ids". */
  readonly what: string;
  /** Column by column instead of row by row; `lines` and `columns` must be known. */
  readonly planar?: boolean;
}

const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const PLUS = 43;
const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const NINE = 57;
const UPPER_E = 69;
const LOWER_E = 101;

/** Below it, a further digit still fits in a double; digits after it change the number by less than its own rounding. */
const MOST_DIGITS = 2 ** 49;

/** Bytes of a number of the usual form, with its separator and room to see that it is longer. */
const LONGEST_PLAIN = 32;

/** With more, the power of ten is none that a double holds. What digits beyond the 16th change by rounding, float32 does not show. */
const MOST_PLAIN_DIGITS = 23;

/** Powers of ten that a double holds exactly. */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

/**
 * Reads numbers from the bytes of a headerless CSV file into one typed array. It makes no string and no object for a number: a
 * parser that makes rows of texts takes minutes for the 245 million features of ogbn-products, this one seconds.
 */
export class NumberParser {
  readonly #layout: NumberLayout;
  #out: Float32Array | Int32Array;
  #columns: number;
  /** Of the lines that are complete. */
  #line = 0;
  /** Numbers of the line so far. */
  #column = 0;
  #at = 0;

  // The number that is being read; it may go on in the next piece.
  #mantissa = 0;
  #digits = 0;
  /** Digits after the point, less those of the whole part that were left out. */
  #decimals = 0;
  #exponent = 0;
  #exponentDigits = 0;
  #part: "whole" | "fraction" | "exponent" = "whole";
  #negative = false;
  #negativeExponent = false;
  #signed = false;
  /** A blank came after the number. */
  #closed = false;
  /** The line is empty so far. */
  #empty = true;
  /** An empty line was seen: allowed as the last one. */
  #blankLine = 0;

  constructor(layout: NumberLayout) {
    this.#layout = layout;
    this.#columns = layout.columns ?? 0;
    this.#out = this.#create(this.#columns > 0 ? this.#columns * (layout.lines ?? 1024) : 1024);
  }

  get columns(): number {
    return this.#columns;
  }

  get lines(): number {
    return this.#line;
  }

  /** Takes the next piece of the file. */
  write(bytes: Uint8Array): void {
    let i = 0;
    while (i < bytes.length) {
      if (this.#isUntouched() && this.#columns > 0 && this.#blankLine === 0) i = this.#plain(bytes, i);
      if (i < bytes.length) this.#byte(bytes, i++);
    }
  }

  /**
   * Reads numbers of the usual form, up to one that is not, or might go on in the next piece: {@link #byte} reads that one, or refuses it.
   *
   * @returns where that number starts
   */
  #plain(bytes: Uint8Array, from: number): number {
    const { kind, bound = 2 ** 31, lines = Number.POSITIVE_INFINITY, planar = false } = this.#layout;
    const columns = this.#columns;
    const out = this.#out;
    const last = bytes.length - LONGEST_PLAIN;
    const isInteger = kind === "integer";
    let at = this.#at;
    let column = this.#column;
    let line = this.#line;
    let start = from;
    while (start < last && at < out.length) {
      let i = start;
      const negative = bytes[i] === MINUS;
      if (negative) i++;
      const first = i;
      let digit = (bytes[i] as number) - ZERO;
      let size = 0;
      while (digit >= 0 && digit <= 9) {
        size = size * 10 + digit;
        digit = (bytes[++i] as number) - ZERO;
      }
      if (i === first) break;
      let decimals = 0;
      if (bytes[i] === POINT) {
        const point = i;
        digit = (bytes[++i] as number) - ZERO;
        while (digit >= 0 && digit <= 9) {
          size = size * 10 + digit;
          digit = (bytes[++i] as number) - ZERO;
        }
        decimals = i - point - 1;
        size /= POWERS[decimals] ?? 1;
      }
      const end = bytes[i];
      const isLast = column === columns - 1;
      if (i - first > MOST_PLAIN_DIGITS || end !== (isLast ? NEWLINE : COMMA) || line >= lines) break;
      if (isInteger && (negative || decimals > 0 || size >= bound)) break;
      out[at] = negative ? -size : size;
      column++;
      if (isLast) {
        column = 0;
        line++;
      }
      at = planar ? column * lines + line : at + 1;
      start = i + 1;
    }
    this.#at = at;
    this.#column = column;
    this.#line = line;
    this.#empty = column === 0;
    return start;
  }

  /**
   * The numbers, once the file is at its end.
   *
   * @throws DataError when there are fewer lines than another file states, or the last line is not complete
   */
  end(): Float32Array | Int32Array {
    if (!this.#empty) this.#endLine();
    const { name, lines, linesFrom } = this.#layout;
    if (lines !== undefined && this.#line !== lines) {
      throw new DataError({
        where: `${name}, line ${this.#line + 1}`,
        expected: `${lines} lines, as ${linesFrom ?? "another file"} states`,
        received: `the end of the file after ${this.#line}`,
        hint: "The file was cut off, or the count belongs to another version of the data: take both from the same archive.",
      });
    }
    const length = this.#line * this.#columns;
    return length === this.#out.length ? this.#out : this.#out.slice(0, length);
  }

  #create(length: number): Float32Array | Int32Array {
    try {
      return this.#layout.kind === "float" ? new Float32Array(length) : new Int32Array(length);
    } catch (cause) {
      const { name, lines, linesFrom, what } = this.#layout;
      if (!(cause instanceof RangeError)) throw cause;
      const expected = `${what} that fit in memory`;
      const stated = lines === undefined ? "" : `, for ${lines} lines as ${linesFrom ?? "another file"} states`;
      throw new DataError({ where: name, expected, received: `${length} numbers${stated}` }, { cause });
    }
  }

  #byte(bytes: Uint8Array, at: number): void {
    const byte = bytes[at] as number;
    if (byte >= ZERO && byte <= NINE && this.#part !== "exponent" && !this.#closed) this.#digit(byte - ZERO);
    else this.#other(byte, bytes, at);
  }

  #digit(digit: number): void {
    this.#digits++;
    this.#empty = false;
    if (this.#mantissa < MOST_DIGITS) {
      this.#mantissa = this.#mantissa * 10 + digit;
      if (this.#part === "fraction") this.#decimals++;
    } else if (this.#part === "whole") this.#decimals--;
  }

  #other(byte: number, bytes: Uint8Array, at: number): void {
    if (byte === COMMA) this.#endNumber(bytes, at);
    else if (byte === NEWLINE) this.#endLine(bytes, at);
    else if (byte === SPACE || byte === RETURN) this.#closed = this.#digits > 0;
    else if (this.#closed) this.#refuse(bytes, at);
    else if (this.#part === "exponent") this.#exponentByte(byte, bytes, at);
    else if (byte === POINT && this.#part === "whole") this.#part = "fraction";
    else if ((byte === LOWER_E || byte === UPPER_E) && this.#digits > 0) this.#part = "exponent";
    else if ((byte === MINUS || byte === PLUS) && this.#isUntouched()) {
      this.#negative = byte === MINUS;
      this.#signed = true;
    } else this.#refuse(bytes, at);
    if (byte !== NEWLINE && byte !== RETURN && byte !== SPACE) this.#empty = false;
  }

  #isUntouched(): boolean {
    return this.#digits === 0 && this.#part === "whole" && !this.#signed;
  }

  #exponentByte(byte: number, bytes: Uint8Array, at: number): void {
    if (byte >= ZERO && byte <= NINE && this.#exponentDigits < 4) {
      this.#exponent = this.#exponent * 10 + (byte - ZERO);
      this.#exponentDigits++;
    } else if ((byte === MINUS || byte === PLUS) && this.#exponentDigits === 0 && !this.#negativeExponent) {
      this.#negativeExponent = byte === MINUS;
    } else this.#refuse(bytes, at);
  }

  #endNumber(bytes?: Uint8Array, at = 0): void {
    if (this.#digits === 0 || (this.#part === "exponent" && this.#exponentDigits === 0)) this.#refuse(bytes, at);
    const power = (this.#negativeExponent ? -this.#exponent : this.#exponent) - this.#decimals;
    const size =
      power < 0 && power >= -22
        ? this.#mantissa / (POWERS[-power] as number)
        : power === 0
          ? this.#mantissa
          : Number(`${this.#mantissa}e${power}`);
    this.#push(this.#negative ? -size : size, bytes, at);
    this.#mantissa = 0;
    this.#digits = 0;
    this.#decimals = 0;
    if (this.#part === "exponent") {
      this.#exponent = 0;
      this.#exponentDigits = 0;
      this.#negativeExponent = false;
    }
    this.#part = "whole";
    this.#negative = false;
    this.#signed = false;
    this.#closed = false;
  }

  #push(value: number, bytes: Uint8Array | undefined, at: number): void {
    const { kind, bound, columns, lines, planar } = this.#layout;
    if (this.#blankLine > 0) this.#refuseBlank();
    if (kind === "integer") {
      if (!Number.isInteger(value) || value < 0 || value >= (bound ?? 2 ** 31)) this.#refuse(bytes, at);
    } else if (!Number.isFinite(Math.fround(value))) this.#refuse(bytes, at);
    const known = columns ?? (this.#line > 0 ? this.#columns : undefined);
    if (known !== undefined && this.#column >= known) this.#refuseLength(this.#column + 1, known);
    if (lines !== undefined && this.#line >= lines) this.#refuseSurplus(lines);
    if (this.#at >= this.#out.length) this.#grow();
    this.#out[this.#at] = value;
    this.#column++;
    this.#at = planar === true ? this.#column * (lines ?? 0) + this.#line : this.#at + 1;
  }

  #grow(): void {
    const { lines } = this.#layout;
    // The first line is longer than was guessed, or the file longer than what there is room for.
    const known = lines !== undefined && this.#line > 0 ? lines * this.#columns : 0;
    const larger = this.#create(Math.max(known, 2 * this.#out.length));
    larger.set(this.#out as Float32Array & Int32Array);
    this.#out = larger;
  }

  #endLine(bytes?: Uint8Array, at = 0): void {
    if (this.#empty) {
      this.#blankLine ||= this.#line + 1;
      return;
    }
    this.#endNumber(bytes, at);
    this.#empty = true;
    if (this.#columns === 0) {
      this.#columns = this.#column;
      const { lines } = this.#layout;
      if (lines !== undefined) {
        const whole = this.#create(lines * this.#columns);
        whole.set(this.#out.subarray(0, Math.min(this.#column, whole.length)) as Float32Array & Int32Array);
        this.#out = whole;
      }
    }
    if (this.#column !== this.#columns) this.#refuseLength(this.#column, this.#columns);
    this.#line++;
    this.#column = 0;
    if (this.#layout.planar === true) this.#at = this.#line;
  }

  get #where(): string {
    return `${this.#layout.name}, line ${this.#line + 1}`;
  }

  #refuse(bytes: Uint8Array | undefined, at: number): never {
    const { what, kind, bound } = this.#layout;
    const range = bound === undefined ? "of at least 0" : `from 0 to ${bound - 1}`;
    throw new DataError({
      where: `${this.#where}, column ${this.#column + 1}`,
      expected: kind === "integer" ? `${what} that are integers ${range}` : `${what} that are finite numbers`,
      received: fieldAt(bytes, at),
      hint:
        kind === "integer"
          ? "Number them from 0 without a gap; a header line does not belong here."
          : "Replace missing values before writing the file; a header line does not belong here.",
    });
  }

  #refuseLength(received: number, expected: number): never {
    throw new DataError({
      where: this.#where,
      expected: `${expected} ${this.#layout.what}`,
      received: received > expected ? `${received} or more` : `${received}`,
      hint: "Every line must have as many fields as the first.",
    });
  }

  #refuseSurplus(lines: number): never {
    throw new DataError({
      where: this.#where,
      expected: `${lines} lines, as ${this.#layout.linesFrom ?? "another file"} states`,
      received: "more",
      hint: "The file and the count belong to different versions of the data: take both from the same archive.",
    });
  }

  #refuseBlank(): never {
    throw new DataError({
      where: `${this.#layout.name}, line ${this.#blankLine}`,
      expected: this.#layout.what,
      received: "an empty line",
      hint: "Every line must be filled; only the end of the file may be empty.",
    });
  }
}

/** The field around a byte, as far as this piece of the file has it. */
function fieldAt(bytes: Uint8Array | undefined, at: number): string {
  if (bytes === undefined) return "the end of the file";
  const isEnd = (byte: number | undefined): boolean => byte === undefined || byte === COMMA || byte === NEWLINE;
  let start = at;
  let end = at;
  while (at - start < 40 && !isEnd(bytes[start - 1])) start--;
  while (end - at < 40 && !isEnd(bytes[end])) end++;
  const text = new TextDecoder().decode(bytes.subarray(start, end)).trim();
  return text === "" ? "nothing" : text;
}

/** Reads a whole file. */
export async function readNumbers(
  bytes: AsyncIterable<Uint8Array>,
  layout: NumberLayout,
): Promise<{ readonly values: Float32Array | Int32Array; readonly columns: number; readonly lines: number }> {
  const parser = new NumberParser(layout);
  for await (const piece of bytes) parser.write(piece);
  const values = parser.end();
  return { values, columns: parser.columns, lines: parser.lines };
}
