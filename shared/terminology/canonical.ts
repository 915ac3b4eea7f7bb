/** Parts a canonical address from its version, which may be an address itself. https://hl7.org/fhir/R4/references.html#canonical */
export const splitCanonical = (canonical: string): [url: string, version: string | undefined] => {
  const bar = canonical.indexOf('|');
  return bar < 0 ? [canonical, undefined] : [canonical.slice(0, bar), canonical.slice(bar + 1)];
};

/** The address with a version, unless it names one itself. */
export const withVersion = (canonical: string, version: string | undefined): string =>
  version === undefined || canonical.includes('|') ? canonical : `${canonical}|${version}`;
