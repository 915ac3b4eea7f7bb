// Base 32 with the alphabet of RFC 4648 section 7 in lower case: text sorts as the bytes do, and every letter is legal in a FHIR id.
const alphabet = '0123456789abcdefghijklmnopqrstuv';
const valueOf = new Map([...alphabet].map((letter, value) => [letter, value]));

/** Writes bytes so that the texts of equally long inputs sort like the inputs. 12 bytes make 20 letters, 16 make 26. */
export const toBase32 = (bytes: Uint8Array): string => {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet[(buffer >> bits) & 31];
    }
    buffer &= (1 << bits) - 1;
  }
  return bits > 0 ? text + alphabet[(buffer << (5 - bits)) & 31] : text;
};

/** Reads what `toBase32` wrote; undefined for any other text, padding bits included, so each value has one spelling. */
export const fromBase32 = (text: string): Uint8Array | undefined => {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let buffer = 0;
  let bits = 0;
  let at = 0;
  for (const letter of text) {
    const value = valueOf.get(letter);
    if (value === undefined) return undefined;
    buffer = (buffer << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (buffer >> bits) & 255;
      buffer &= (1 << bits) - 1;
    }
  }
  return buffer === 0 ? bytes : undefined;
};
