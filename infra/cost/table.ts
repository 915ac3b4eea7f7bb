/** A table in Markdown, padded so that it reads well on a console; columns of `numeric` stand right. */
export const markdownTable = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly number[] = [],
): string => {
  const widths = head.map((name, column) => Math.max(3, name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const right = (column: number) => numeric.includes(column);
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, at) => (right(at) ? (cells[at] ?? '').padStart(width) : (cells[at] ?? '').padEnd(width))).join(' | ')} |`;
  const rule = widths.map((width, at) => (right(at) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
};

/** Dollars as a bill shows them: cents below a hundred, none above; nothing at all as a dash. */
export const dollars = (usd: number): string => {
  if (usd === 0) return '–';
  if (usd < 0.005) return '< 0.01';
  const digits = usd < 100 ? 2 : 0;
  return usd.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
};

/** A count with thousands apart, three significant digits. */
export const count = (value: number): string => value.toLocaleString('en', { maximumSignificantDigits: 3 });
