/** Writes a section of a page anew, which stands between `<!-- name -->` and `<!-- /name -->`. */
export function fillSection(page: string, name: string, text: string, file: string): string {
  const [first, last] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const start = page.indexOf(first);
  const end = page.indexOf(last, start);
  if (start < 0 || end < 0) throw new Error(`${file} has no lines ${first} and ${last}`);
  return `${page.slice(0, start)}${first}\n\n${text.trim()}\n\n${page.slice(end)}`;
}
