import type { ResultPart } from './critical.ts';

// A critical value is read back to whoever tells it: said again, as it was heard. https://www.jointcommission.org NPSG.02.03.01 asks that it reaches who is responsible.

const folded = (text: string | undefined): string => (text ?? '').trim().toLowerCase().replaceAll(/\s+/g, ' ');

const wordsOf = (concepts: readonly (fhir4.CodeableConcept | undefined)[]): readonly string[] =>
  concepts
    .flatMap((concept) => [concept?.text, ...(concept?.coding ?? []).flatMap(({ code, display }) => [code, display])])
    .map(folded)
    .filter((text) => text !== '');

const number = /^(<=|>=|<|>)?\s*([+-]?\d+(?:[.,]\d+)?)\s*(.*)$/s;

const isQuantity = ({ value, comparator, unit, code }: fhir4.Quantity, text: string): boolean => {
  const [, sign, digits = '', said = ''] = number.exec(text.trim()) ?? [];
  if (digits === '' || Number(digits.replace(',', '.')) !== value || sign !== comparator) return false;
  return said === '' || [unit, code].some((each) => folded(each) === folded(said));
};

/**
 * Whether what was read back is a critical value: the same number and comparator, and the same unit if one was said; the same words or code, without case; where there is no value, what its laboratory calls it.
 */
export const readsBack = (part: ResultPart, text: string): boolean => {
  const { valueQuantity, valueCodeableConcept, valueString, valueInteger, valueBoolean, valueRatio } = part;
  if (valueQuantity?.value !== undefined) return isQuantity(valueQuantity, text);
  if (valueInteger !== undefined) return isQuantity({ value: valueInteger }, text);
  if (valueCodeableConcept) return wordsOf([valueCodeableConcept]).includes(folded(text));
  if (valueString !== undefined) return folded(valueString) === folded(text);
  if (valueBoolean !== undefined) return folded(text) === String(valueBoolean);
  if (valueRatio) return isRatio(valueRatio, text);
  return wordsOf([...(part.interpretation ?? []), part.code]).includes(folded(text));
};

const isRatio = ({ numerator, denominator }: fhir4.Ratio, text: string): boolean => {
  const [over, under] = text.split(/[:/]/).map(Number);
  return numerator?.value !== undefined && over === numerator.value && under === denominator?.value;
};

/** Whether all critical values were read back, each by words of its own, and nothing besides. */
export const allReadBack = (parts: readonly ResultPart[], texts: readonly string[]): boolean => {
  /** The part that each text was taken for. */
  const taken = new Map<number, number>();
  const isFound = (part: number, tried: Set<number>): boolean =>
    texts.some((text, index) => {
      const candidate = parts[part];
      if (!candidate || tried.has(index) || !readsBack(candidate, text)) return false;
      tried.add(index);
      const other = taken.get(index);
      if (other !== undefined && !isFound(other, tried)) return false;
      taken.set(index, part);
      return true;
    });
  return (
    parts.every((_, part) => isFound(part, new Set())) &&
    texts.every((text) => parts.some((part) => readsBack(part, text)))
  );
};
