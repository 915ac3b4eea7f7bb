/** Letters that Unicode does not take apart, although people type them without their stroke or ligature. */
const plainLetters: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ħ: 'h',
  ł: 'l',
  ŧ: 't',
  ı: 'i',
  ς: 'σ', // the form at the end of a word, which a word that goes on does not have
};

/**
 * Folds a text for searches that ignore case, accents, punctuation and repeated spaces. Apostrophes and full stops vanish (`O'Brien` is
 * `obrien`); other punctuation separates words (`Smith-Jones` is `smith jones`). Folding twice changes nothing.
 * https://hl7.org/fhir/R4/search.html#string
 */
export const foldText = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .normalize('NFKD') // a few lower-case letters come apart only now
    .replace(/\p{M}+/gu, '')
    .replace(/[ßæœøđðþħłŧıς]/g, (letter) => plainLetters[letter] ?? letter)
    .replace(/['’ʼ`´.]+/g, '')
    .replace(/[\p{P}\p{Z}\s]+/gu, ' ')
    .trim()
    .normalize('NFC'); // puts Korean syllables together again
