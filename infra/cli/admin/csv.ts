/** Letters with which a spreadsheet would begin to compute. https://owasp.org/www-community/attacks/CSV_Injection */
const computes = /^[=+\-@\t\r]/;

const cell = (value: string): string => {
  const safe = computes.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** Lines of comma-separated values, as spreadsheets read them. https://www.rfc-editor.org/rfc/rfc4180 */
export const csvOf = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
