import { delegationCode, longestDelegationMs, verifiedCallsCode } from '../access/delegation.ts';
import { RecordError } from '../errors.ts';
import { addressOf } from '../fhir/addresses.ts';
import { dateInterval } from '../search/date-range.ts';
import type { DelegationRow } from '../store/delegations.ts';
import { delegationKey } from '../store/keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RecordType } from './define-record-type.ts';

const isCoded = (
  { code = [] }: fhir4.PractitionerRole,
  as: typeof delegationCode | typeof verifiedCallsCode,
): boolean =>
  code.some(({ coding = [] }) => coding.some(({ system, code: own }) => system === as.system && own === as.code));

/** A restriction that is misspelt must not delegate more than was meant. */
const isUnderstood = ({ code = [] }: fhir4.PractitionerRole): boolean =>
  code.every(({ coding = [] }) =>
    coding.every(
      ({ system, code: own }) =>
        system !== delegationCode.system || own === delegationCode.code || own === verifiedCallsCode.code,
    ),
  );

/** What a PractitionerRole delegates, to be in force with it; undefined for one that is no delegation, or not active. */
const delegatedBy = (record: StoredRecord | undefined) => {
  const role = record?.resource as fhir4.PractitionerRole | undefined;
  return record && role && isCoded(role, delegationCode) && role.active !== false ? { record, role } : undefined;
};

/**
 * The row by which a PractitionerRole lets a member of support act for its organisation. It is granted by an administrator in person, to somebody else, for a
 * time that ends.
 *
 * @throws RecordError `forbidden`, `business-rule`.
 */
export const delegationRows: NonNullable<RecordType['grantRows']> = ({ next, previous }, { administrator }) => {
  const before = delegatedBy(previous);
  const removes = before ? keysOf(before) : [];
  const after = delegatedBy(next);
  if (!after) return { puts: [], removes };
  if (administrator === undefined) {
    throw new RecordError('forbidden', 'An administrator of the organisation delegates, in person', {
      reason: 'delegation-by-person',
      expression: 'PractitionerRole.code',
    });
  }
  const row = rowOf(after, administrator);
  return { puts: [{ ...row }], removes: removes.filter(({ pk, sk }) => pk !== row.pk || sk !== row.sk) };
};

type Delegating = NonNullable<ReturnType<typeof delegatedBy>>;

const personOf = ({ role }: Delegating): string | undefined => {
  const name = addressOf(role.practitioner?.reference ?? '')?.name;
  return name?.startsWith('Practitioner/') ? name : undefined;
};

const keysOf = (delegating: Delegating) => {
  const person = personOf(delegating);
  const { custodian, id } = delegating.record;
  return person === undefined ? [] : [delegationKey(custodian, person, id)];
};

const rowOf = (delegating: Delegating, by: string): DelegationRow => {
  const { record, role } = delegating;
  const person = personOf(delegating);
  if (!isUnderstood(role)) throw refused('code', 'A delegation is coded support, and perhaps verified-calls');
  if (person === undefined) throw refused('practitioner', 'A delegation names the Practitioner who is to act');
  if (person === by) throw refused('practitioner', 'Nobody delegates to themselves');
  if (role.organization && addressOf(role.organization.reference ?? '')?.name !== `Organization/${record.custodian}`)
    throw refused('organization', 'An organisation delegates what is its own');
  const from = role.period?.start === undefined ? record.updated : dateInterval(role.period.start)?.start;
  const to = role.period?.end === undefined ? undefined : dateInterval(role.period.end)?.end;
  if (from === undefined || to === undefined)
    throw refused('period.end', 'A delegation is for a time: say when it ends');
  if (to - from > longestDelegationMs) throw refused('period.end', 'A delegation is for a year at most');
  return {
    ...delegationKey(record.custodian, person, record.id),
    layout: isCoded(role, verifiedCallsCode) ? 2 : 1,
    by,
    from,
    to,
  };
};

const refused = (element: string, message: string) =>
  new RecordError('business-rule', message, { reason: 'delegation', expression: `PractitionerRole.${element}` });
