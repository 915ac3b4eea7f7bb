/** A scope of a token, as its parts are written. */
export interface ModelScope {
  readonly level: 'patient' | 'user' | 'system';
  readonly type: string;
  readonly letters: string;
  /** What follows the question mark; empty for a scope that is not narrowed. */
  readonly query: string;
}

export const scopeText = ({ level, type, letters, query }: ModelScope): string =>
  `${level}/${type}.${letters}${query === '' ? '' : `?${query}`}`;

interface Coded {
  readonly category?: readonly fhir4.CodeableConcept[];
  readonly code?: fhir4.CodeableConcept;
}

/** Whether a scope speaks of what a record says. Written apart from the code that it judges: one token after the other, as a search would. */
export const scopeHolds = ({ type, query }: ModelScope, said: Coded | undefined): boolean => {
  if (query === '') return true;
  if (type !== 'Observation' && type !== 'Condition') return false;
  for (const part of query.split('&')) {
    const [name, list = ''] = part.split('=');
    if (name !== 'category' && name !== 'code') return false;
    const concepts = name === 'category' ? [...(said?.category ?? [])] : said?.code ? [said.code] : [];
    let met = false;
    for (const token of list.split(',')) {
      const bar = token.indexOf('|');
      for (const { coding = [] } of concepts) {
        for (const each of coding) {
          if (bar < 0) met ||= each.code === token;
          else if (bar === 0) met ||= each.system === undefined && `|${each.code}` === token;
          else if (bar === token.length - 1) met ||= `${each.system}|` === token;
          else met ||= `${each.system}|${each.code}` === token;
        }
      }
    }
    if (!met) return false;
  }
  return true;
};
