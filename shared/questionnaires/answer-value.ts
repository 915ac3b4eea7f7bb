/** An answer of a questionnaire response, or what a questionnaire compares one with: `value[x]`, `answer[x]`. */
export type AnswerValue =
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'number'; readonly element: 'decimal' | 'integer'; readonly value: number }
  | { readonly kind: 'text'; readonly element: 'date' | 'dateTime' | 'time' | 'string' | 'uri'; readonly value: string }
  | { readonly kind: 'coding'; readonly value: fhir4.Coding }
  | { readonly kind: 'quantity'; readonly value: fhir4.Quantity }
  | { readonly kind: 'reference'; readonly value: fhir4.Reference }
  | { readonly kind: 'attachment'; readonly value: fhir4.Attachment };

/**
 * The value of an element with a choice of types; undefined if there is none.
 *
 * @param prefix - `value` or `answer`.
 */
export const answerValue = (holder: object, prefix: 'value' | 'answer'): AnswerValue | undefined => {
  const given = Object.entries(holder).find(
    ([name]) => name.startsWith(prefix) && /^[A-Z]/.test(name.slice(prefix.length)),
  );
  if (!given) return undefined;
  const [name, value] = given as [string, never];
  const element = name.slice(prefix.length);
  switch (element) {
    case 'Boolean':
      return { kind: 'boolean', value };
    case 'Decimal':
    case 'Integer':
      return { kind: 'number', element: element === 'Decimal' ? 'decimal' : 'integer', value };
    case 'Date':
    case 'DateTime':
    case 'Time':
    case 'String':
    case 'Uri':
      return { kind: 'text', element: `${element.charAt(0).toLowerCase()}${element.slice(1)}` as 'date', value };
    case 'Coding':
      return { kind: 'coding', value };
    case 'Quantity':
      return { kind: 'quantity', value };
    case 'Reference':
      return { kind: 'reference', value };
    case 'Attachment':
      return { kind: 'attachment', value };
    default:
      return undefined;
  }
};

/** Whether two values are the same answer: codings by system and code, quantities by value and unit. */
export const isSameAnswer = (a: AnswerValue, b: AnswerValue): boolean => {
  if (a.kind === 'coding' && b.kind === 'coding')
    return a.value.code === b.value.code && (a.value.system ?? '') === (b.value.system ?? '');
  if (a.kind === 'quantity' && b.kind === 'quantity') return order(a, b) === 0;
  if (a.kind === 'reference' && b.kind === 'reference') return a.value.reference === b.value.reference;
  return a.kind === b.kind && a.value === b.value;
};

/** Negative, zero or positive as one is less than, equal to or greater than another; undefined where they cannot be compared. */
export const order = (a: AnswerValue, b: AnswerValue): number | undefined => {
  if (a.kind === 'number' && b.kind === 'number') return a.value - b.value;
  if (a.kind === 'text' && b.kind === 'text') return orderOfTexts(a.value, b.value);
  if (a.kind === 'quantity' && b.kind === 'quantity') {
    const [left, right] = [a.value, b.value];
    const unit = ({ system = '', code, unit: words = '' }: fhir4.Quantity) =>
      code === undefined ? words : `${system}|${code}`;
    if (left.value === undefined || right.value === undefined || unit(left) !== unit(right)) return undefined;
    return left.value - right.value;
  }
  return undefined;
};

/** Dates and times of one precision are in order as texts, unless one says its offset. */
const orderOfTexts = (a: string, b: string): number => {
  const [left, right] = [Date.parse(a), Date.parse(b)];
  if (a.includes('T') && b.includes('T') && !Number.isNaN(left) && !Number.isNaN(right)) return left - right;
  return a < b ? -1 : a > b ? 1 : 0;
};
