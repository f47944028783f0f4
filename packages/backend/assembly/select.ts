/** y = condition ? a : b, element by element. */

import { argument } from "./call";
import { at } from "./vector";

/** Task SELECT, unit: an element. Arguments: condition (bytes), a, b, y (words of any meaning). */
export function select(first: i32, last: i32): void {
  const condition = argument<usize>(0);
  const a = argument<usize>(1);
  const b = argument<usize>(2);
  const y = argument<usize>(3);
  let i = first;
  for (; i + 4 <= last; i += 4) {
    // Four bytes become four words, each of all ones or all zeros.
    const bytes = i16x8.extend_low_i8x16_u(v128.load32_zero(condition + i));
    const mask = i32x4.ne(i32x4.extend_low_i16x8_u(bytes), i32x4.splat(0));
    v128.store(at(y, i), v128.bitselect(v128.load(at(a, i)), v128.load(at(b, i)), mask));
  }
  for (; i < last; i++) store<i32>(at(y, i), load<i32>(at(load<u8>(condition + i) != 0 ? a : b, i)));
}
