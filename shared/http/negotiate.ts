/** One of the values that a header such as Accept lists. */
export interface Wish {
  /** In small letters: a media type or range, or a coding. */
  readonly name: string;
  /** Values as they were sent, without quotation marks, by their names in small letters. */
  readonly parameters: ReadonlyMap<string, string>;
  /** 0 for what is not wanted, to 1; what is no number counts as 0. */
  readonly quality: number;
}

/** Reads the values of a header, in their order. https://www.rfc-editor.org/rfc/rfc9110#section-12.4 */
export const wishesIn = (header: string): Wish[] =>
  (header.match(/(?:[^,"]|"[^"]*")+/g) ?? []).map((text) => {
    const [name = '', ...rest] = text.split(';').map((part) => part.trim());
    const parameters = new Map(
      rest.map((part): [string, string] => {
        const [key = '', value = ''] = part.split(/\s*=\s*/);
        return [key.toLowerCase(), value.replace(/^"(.*)"$/, '$1')];
      }),
    );
    return { name: name.toLowerCase(), parameters, quality: Number(parameters.get('q') ?? 1) || 0 };
  });

/** How closely a range names what is offered; undefined if it does not. */
const closeness = (range: string, offer: string): number | undefined => {
  if (range === offer) return 2;
  if (range === '*' || range === '*/*') return 0;
  return range.endsWith('/*') && offer.startsWith(range.slice(0, -1)) ? 1 : undefined;
};

/**
 * What is offered and wanted, the most wanted first: by quality, then by how closely it was named, then in the order in which it was named and offered.
 *
 * @param offers - in small letters.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
 */
export const wanted = <T extends string>(wishes: readonly Wish[], offers: readonly T[]): T[] =>
  offers
    .flatMap((offer) => {
      const naming = wishes.flatMap(({ name, quality }, order) => {
        const close = closeness(name, offer);
        return close === undefined ? [] : [{ offer, close, quality, order }];
      });
      const [closest] = naming.sort((one, other) => other.close - one.close || other.quality - one.quality);
      return closest && closest.quality > 0 ? [closest] : [];
    })
    .sort((one, other) => other.quality - one.quality || other.close - one.close || one.order - other.order)
    .map(({ offer }) => offer);

export type Coding = 'gzip' | 'identity';

/**
 * Codings in which an answer may be sent, the most wanted first. As it is it may always be sent, unless that is refused.
 *
 * @param header - Accept-Encoding; undefined where the client says nothing, and is sent nothing encoded.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
 */
export const wantedCodings = (header = ''): Coding[] => {
  const wishes = wishesIn(header);
  const told = wishes.some(({ name }) => name === 'identity' || name === '*');
  const asItIs: Wish = { name: 'identity', parameters: new Map(), quality: 0.000_1 };
  return wanted(told ? wishes : [...wishes, asItIs], ['gzip', 'identity']);
};
