import type { RecordFacts } from '../access/decide.ts';
import { factsOfType } from '../record-types/subjects.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';

/** The record whose access rights a Binary shares, wherever it is: a reference to another server is held to the rights of its type, too. */
export const securityContextOf = (record: StoredRecord): { readonly type: string; readonly id: string } | undefined => {
  if (record.type !== 'Binary') return undefined;
  const { securityContext } = (record.resource ?? {}) as Partial<fhir4.Binary>;
  const [, type, id] =
    /(?:^|\/)([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/\d+)?$/.exec(securityContext?.reference ?? '') ??
    [];
  return type === undefined || id === undefined ? undefined : { type, id };
};

/** The charts whose logs tell of an access to a record: that of its home, and that which its security context is in, as far as ids tell. */
export const chartsConcerned = ({ ids }: RequestContext['store'], record: StoredRecord): string[] => {
  const chart = ids.decode(securityContextOf(record)?.id ?? '')?.chart;
  return chart === undefined || chart === record.chart ? [record.chart] : [record.chart, chart];
};

/**
 * What a decision needs to know of a record. A Binary with a security context is under the rights of that record, too, and belongs to the
 * chart that it is in. Whoever wrote the reference could refer to that record, so both have one custodian.
 *
 * @see https://hl7.org/fhir/R4/binary-definitions.html#Binary.securityContext
 */
export const factsOfRecord = (
  { asking, store }: Pick<RequestContext, 'asking' | 'store'>,
  record: StoredRecord,
): RecordFacts => {
  const named = securityContextOf(record);
  if (!named) return record;
  const { type, id } = named;
  // The chart is in an id of ours. Under an id that a client chose the patient is known by name, and other records are not the patient's.
  const own = type === 'Patient' && id === asking.caller.patient;
  const chart = (own ? asking.chart : store.ids.decode(id)?.chart) ?? record.chart;
  return { ...record, chart, under: factsOfType(type) };
};
