import { RecordError } from '../errors.ts';
import { inOrder, stringifyJson, withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { hashOf } from '../signing/signature.ts';
import type { Filing } from './filing.ts';
import { messageKey } from './message-order.ts';
import { fillerNumber, resultNumber, specimenNumber } from './report-numbers.ts';

/** A result of a message, as it was sent. */
export interface SentResult {
  /** What tells it apart in its report. */
  readonly identity: string;
  /** Where it stands among messages (`messageKey`). */
  readonly key: string;
  readonly resource: fhir4.Observation;
}

/** A message of a laboratory that can be filed. */
export interface Message extends Filing {
  /** The filler's number, with who has given it. */
  readonly filler: string;
  /** Where it stands among those about the same report (`messageKey`). */
  readonly key: string;
  readonly sent: readonly SentResult[];
  readonly sentSpecimens: readonly { readonly number: string; readonly resource: fhir4.Specimen }[];
}

const digestLetters = 16;

const invalid = (expression: string, message: string) => new RecordError('invalid', message, { expression });

/**
 * What is filed, with what tells it and its results apart from others.
 *
 * @param known - the digest of the message, of one that was kept as it came.
 * @throws RecordError `invalid`, naming what a report lacks without which it cannot be told from another one.
 */
export const messageOf = (filing: Filing, known?: string): Message => {
  const { report, results, specimens, version } = filing;
  const filler = fillerNumber(report);
  if (filler === undefined)
    throw invalid('report.identifier', "A report has the filler's number: type FILL, with a system or an assigner");
  if (report.basedOn)
    throw invalid('report.basedOn', 'The order is found by its numbers: identifiers of type PLAC or FILL');
  const { subject: _whose, result: _of, ...told } = report;
  const digest = known ?? digestOf([withSpellingOf(told, report), results, specimens]);
  const time = { version, issued: report.issued };
  const key = messageKey(report.status, time, digest);
  if (key === undefined) throw invalid('report.issued', 'Either version or issued tells which message is newer');
  const identities = identitiesOf(results);
  const sent = results.map((resource, index) => ({
    resource,
    identity: identities[index] ?? '',
    key: messageKey(resource.status, time, digest) ?? key,
  }));
  const twice = sent.find(({ identity }, index) => sent.findIndex((each) => each.identity === identity) < index);
  if (twice) throw invalid('result.identifier', 'Two results of a report have different identifiers');
  const sentSpecimens = specimens.map((resource, index) => {
    const number = specimenNumber(resource);
    if (number === undefined)
      throw invalid('specimen.identifier', 'A specimen has an identifier with a system or an assigner');
    const alike = specimens.filter((each) => specimenNumber(each) === number);
    return { number: alike.length === 1 ? number : apart(number, alike, specimens[index]), resource };
  });
  return { ...filing, filler, key, sent, sentSpecimens };
};

/** Tubes of one accession: by their own identifiers, and where they have none, or the same, by their order. */
const apart = (number: string, alike: readonly fhir4.Specimen[], one: fhir4.Specimen | undefined): string => {
  const ownOf = (each: fhir4.Specimen | undefined): string =>
    JSON.stringify(each?.identifier?.map(({ system, value }) => [system, value]) ?? []);
  const same = alike.filter((each) => ownOf(each) === ownOf(one));
  return `${number} ${ownOf(one)}#${same.indexOf(one as fhir4.Specimen) + 1}`;
};

const digestOf = (content: unknown): string =>
  hashOf(stringifyJson(inOrder(content))).slice('sha256:'.length, 'sha256:'.length + digestLetters);

/** What tells each of the results of a report apart, in their order. */
export const identitiesOf = (results: readonly fhir4.Observation[]): readonly string[] =>
  results.map((_, index) => identityOf(results, index));

/** Its number; else its code, and which of several with the same code it is. */
const identityOf = (results: readonly fhir4.Observation[], index: number): string => {
  const number = results[index] && resultNumber(results[index]);
  if (number !== undefined) return `n${number}`;
  const code = codeOf(results[index]);
  const before = results.slice(0, index).filter((each) => resultNumber(each) === undefined && codeOf(each) === code);
  return `c${code}#${before.length + 1}`;
};

const codeOf = ({ code }: Partial<fhir4.Observation> = {}): string => {
  const coded = code?.coding?.find((each) => each.code !== undefined);
  return coded ? `${coded.system ?? ''}|${coded.code}` : (code?.text ?? '');
};

/** References within a message, by `#id`, replaced by what they came to; a copy that keeps the spelling of its numbers. */
export const referring = <T extends object>(value: T, named: ReadonlyMap<string, string>): T => {
  const copy = Array.isArray(value)
    ? value.map((each) => (typeof each === 'object' && each !== null ? referring(each, named) : each))
    : Object.fromEntries(
        Object.entries(value).map(([name, each]) => {
          if (name === 'reference' && typeof each === 'string') return [name, named.get(each) ?? each];
          return [name, typeof each === 'object' && each !== null ? referring(each, named) : each];
        }),
      );
  return withSpellingOf(copy as T, value);
};

/** A part of a message as a record: without its name in the message. */
export const asRecord = (resource: object): Resource => {
  const { id: _, ...rest } = resource as Resource;
  return withSpellingOf(rest, resource) as Resource;
};
