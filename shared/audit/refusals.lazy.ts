import type { Caller } from '../access/caller.ts';
import { inParallel } from '../store/in-parallel.ts';
import { auditKey } from '../store/keys.ts';
import type { RecordStore } from '../store/record-store.ts';
import { type AuditEntry, type AuditedInteraction, type AuditRow, auditRow } from './audit-row.ts';
import { logNameOf } from './log-name.ts';
import { putAccess } from './put-access.ts';
import { userLog } from './user-log.ts';

/** A request, or an entry of a batch, that its caller may not make. Nothing in it is of a patient. */
export interface Refusal {
  /** Stable code, such as `forbidden-role`. */
  readonly code: string;
  /** Type of the records that it was about; undefined for what is asked of the system. */
  readonly type: string | undefined;
  readonly interaction: AuditedInteraction;
  /** Name of the operation, such as `$everything`. */
  readonly operation?: string;
}

/** A kind of refusal leaves one row a user and this long, however often it comes. Milliseconds. */
const onceIn = 60_000;

/** Rows that are written at once. */
const concurrency = 8;

/** Names that are remembered; a minute that brings more begins anew, and DynamoDB drops what is there. */
const mostRemembered = 2_000;

/** What a process has told already. It holds names of rows of one minute. */
export interface Told {
  minute: number;
  readonly rows: Set<string>;
}

/**
 * Writes refusals into the log: a patient's own into the own chart, all others into the log of the user. One row a user, code, type and minute: who tries everything at
 * every moment writes as many rows a minute as there are types and codes, and a process asks DynamoDB once for each.
 *
 * @throws whatever keeps a row from being written.
 */
export const traceRefusals = async (
  store: RecordStore,
  caller: Caller,
  refusals: readonly Refusal[],
  { now, request, told }: { readonly now: number; readonly request: string; readonly told: Told },
): Promise<void> => {
  const minute = now - (now % onceIn);
  if (told.minute !== minute || told.rows.size > mostRemembered) {
    told.minute = minute;
    told.rows.clear();
  }
  const rows = new Map(
    refusals.map((refusal) => {
      const row = rowOf(store, caller, refusal, minute, request);
      return [`${row.pk} ${row.sk}`, row] as const;
    }),
  );
  const fresh = [...rows].filter(([name]) => !told.rows.has(name));
  await inParallel(concurrency, fresh, async ([name, row]) => {
    await putAccess(store, row);
    told.rows.add(name);
  });
};

const rowOf = (
  store: RecordStore,
  caller: Caller,
  { code, type, interaction, operation }: Refusal,
  minute: number,
  request: string,
): AuditRow => {
  const { subject, name, client, fhirUser, roles, organization, patient } = caller;
  const entry: AuditEntry = {
    at: minute,
    interaction,
    what: [],
    ...(type === undefined ? {} : { query: type }),
    subject,
    name,
    client,
    fhirUser,
    roles,
    ...(organization === undefined ? {} : { organization }),
    request,
    ...(operation === undefined ? {} : { operation }),
    outcome: 'refused',
    refusal: code,
  };
  // Who asks for somebody else may name any patient: that opens no log either.
  const own = patient !== undefined && fhirUser === `Patient/${patient}` && store.ids.decode(patient)?.place === '';
  const place = store.ids.namedPlace(minute, `refusal ${subject} ${code} ${type ?? ''}`);
  return auditRow(store.ids, auditKey(logNameOf(store, own ? patient : userLog(subject)), place), entry);
};
