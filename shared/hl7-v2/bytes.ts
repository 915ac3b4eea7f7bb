import { Unfit } from './unfit.ts';

/** Table 0211 of HL7, as far as it is served. ASCII is a part of UTF-8. */
const decoders: Readonly<Record<string, string>> = {
  '': 'utf-8',
  ASCII: 'utf-8',
  'UNICODE UTF-8': 'utf-8',
  UNICODE: 'utf-8',
  '8859/1': 'windows-1252',
  '8859/15': 'iso-8859-15',
};

/**
 * The text of a message, by the character set that its MSH-18 names: what stands before that is ASCII in all of them.
 *
 * @throws Unfit `character-set`.
 */
export const textOfBytes = (bytes: Uint8Array): string => {
  const head = Buffer.from(bytes.subarray(0, 4_000))
    .toString('latin1')
    .replace(/^(?:\xef\xbb\xbf|\v)+/, '');
  const fields = (head.split(/[\r\n]/)[0] ?? '').split(head[3] ?? '|');
  const repetition = head[5] ?? '~';
  // MSH-1 is the separator itself, so that MSH-18 is the seventeenth text behind the name.
  const named = (fields[17] ?? '').split(repetition)[0]?.trim().toUpperCase() ?? '';
  const encoding = Object.hasOwn(decoders, named) ? decoders[named] : undefined;
  if (encoding === undefined) throw new Unfit('character-set', 'This character set is not read', 'MSH-18');
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new Unfit('character-set', 'The letters are not of the character set that MSH-18 names', 'MSH-18');
  }
};
