import { inflateRawSync, inflateSync } from 'node:zlib';

type Value = {
  readonly S?: string;
  readonly B?: string;
  readonly L?: readonly Value[];
  readonly M?: Readonly<Record<string, Value>>;
};

/** All that stands in a row of the table, in DynamoDB's JSON: texts, names of attributes, and bytes, deflated or not. */
export const textsInRow = (item: Readonly<Record<string, unknown>>): string =>
  Object.entries(item as Readonly<Record<string, Value>>)
    .map(([name, value]) => `${name} ${textIn(value)}`)
    .join(' ');

const textIn = ({ S, B, L, M }: Value): string => {
  if (S !== undefined) return S;
  if (L) return L.map(textIn).join(' ');
  if (M) return textsInRow(M);
  if (B === undefined) return '';
  const bytes = Buffer.from(B, 'base64');
  return [bytes, tried(() => inflateRawSync(bytes)), tried(() => inflateSync(bytes))].map(String).join(' ');
};

const tried = (read: () => Buffer): string => {
  try {
    return read().toString();
  } catch {
    return '';
  }
};
