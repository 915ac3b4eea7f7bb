/** A piece of time in milliseconds since 1970: from `from` to just before `to`. An open end is infinite. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The time that lies in any of these spans: in order, none touching the next. What has no length is left out. */
export const united = (spans: readonly Span[]): Span[] => {
  const apart: Span[] = [];
  for (const span of spans.filter(({ from, to }) => from < to).sort((a, b) => a.from - b.from)) {
    const last = apart.at(-1);
    if (last && span.from <= last.to) apart[apart.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    else apart.push(span);
  }
  return apart;
};

/** The time that lies in both. Each is as `united` gives it, and so is what comes out. */
export const shared = (a: readonly Span[], b: readonly Span[]): Span[] => {
  const both: Span[] = [];
  let [i, j] = [0, 0];
  for (let one = a[i], other = b[j]; one && other; one = a[i], other = b[j]) {
    const span = { from: Math.max(one.from, other.from), to: Math.min(one.to, other.to) };
    if (span.from < span.to) both.push(span);
    if (one.to < other.to) i++;
    else j++;
  }
  return both;
};

/** What is left of the first without the second. Each is as `united` gives it, and so is what comes out. */
export const without = (spans: readonly Span[], taken: readonly Span[]): Span[] => {
  const gaps: Span[] = [];
  let from = Number.NEGATIVE_INFINITY;
  for (const each of taken) {
    gaps.push({ from, to: each.from });
    from = each.to;
  }
  gaps.push({ from, to: Number.POSITIVE_INFINITY });
  return shared(
    spans,
    gaps.filter((gap) => gap.from < gap.to),
  );
};
