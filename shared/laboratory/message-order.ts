/** States in which a laboratory has said its last word, as far as it knows. What is not in one of them never takes the place of what is. */
const said: ReadonlySet<string> = new Set([
  'final',
  'appended',
  'amended',
  'corrected',
  'cancelled',
  'entered-in-error',
]);

/** What tells two messages of the same time and count apart, from the least to the last word. */
const states = [
  'unknown',
  'registered',
  'partial',
  'preliminary',
  'final',
  'appended',
  'amended',
  'corrected',
  'cancelled',
  'entered-in-error',
];

/** What a message says, in short, of its key. */
export const digestIn = (key: string): string => key.split(' ').at(-1) ?? '';

/** What of a message tells where it stands among others. */
export interface MessageTime {
  /** The filler's count of messages about a report. */
  readonly version?: number | undefined;
  /** The filler's time of the message, an instant. */
  readonly issued?: string | undefined;
}

/**
 * Where a message stands among all those about one report: a text that sorts behind those of what it takes the place of. So whatever order they come in, they end in the same state: what is final before
 * what is not, then the filler's count (or time, where it does not count), then the state, then the content itself, which decides between two that the filler has not told apart.
 *
 * @param status - of the report, or of the single result in it.
 * @param digest - of what the message says.
 * @returns undefined where the filler tells neither count nor time.
 */
export const messageKey = (status: string, { version, issued }: MessageTime, digest: string): string | undefined => {
  const time = issued === undefined ? Number.NaN : Date.parse(issued);
  if (version === undefined && Number.isNaN(time)) return undefined;
  const at = version === undefined ? `t${new Date(time).toISOString()}` : `v${String(version).padStart(10, '0')}`;
  return [said.has(status) ? 1 : 0, at, Math.max(states.indexOf(status), 0), digest].join(' ');
};
