import type { Referral } from '../access/door.ts';
import type { Resource } from '../fhir/resource.ts';
import { referralChanges } from '../store/door-rows.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RecordType, Writer } from './define-record-type.ts';

/** What a version asks of which organisations, and when it was written. */
export type Asks = (
  resource: Resource,
  said: { readonly baseUrl: string; readonly updated: number; readonly first: boolean },
) => Omit<Referral, 'kind' | 'custodian' | 'byPatient'> | undefined;

/** The row of a chart by which a record of a type opens it to organisations other than its own. */
export const referralRows = (asks: Asks): NonNullable<RecordType['accessRows']> => {
  const of = (record: StoredRecord | undefined, { baseUrl, byPatient }: Writer): Referral | undefined => {
    if (!record?.resource) return undefined;
    const { custodian, resource, updated, version } = record;
    const asked = asks(resource, { baseUrl, updated, first: version === 1 });
    const to = asked?.to.filter((name) => name !== `Organization/${custodian}`) ?? [];
    if (!asked || to.length === 0) return undefined;
    const names = record.type === 'ServiceRequest' ? [`${record.type}/${record.id}`] : asked.names;
    return { kind: 'referral', custodian, ...(byPatient ? { byPatient } : {}), ...asked, names, to };
  };
  return (write, writer) =>
    referralChanges(write, writer.byProxy ? undefined : of(write.next, writer), of(write.previous, writer));
};
