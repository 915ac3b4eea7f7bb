import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { type DeploymentKeys, deploymentKeys } from '../store/deployment-key.ts';
import { IdCodec } from '../store/ids.ts';
import { auditKey, auditPartition } from '../store/keys.ts';
import type { Table } from '../store/write-rows.ts';
import { type AuditEntry, auditRow, entryOf, type StoredAuditRow } from './audit-row.ts';
import { followsAnother } from './following-rows.ts';
import { logNameOf } from './log-name.ts';
import { putAccess } from './put-access.ts';
import { userLog } from './user-log.ts';

// Who signs in is told in a log of the user, and by organisation and day like any other row; of a patient, or who acts for one, in the patient's chart too.

/** Who signs in, as far as the user pool knows. */
export type SignsIn = Pick<AuditEntry, 'subject' | 'name' | 'client' | 'fhirUser' | 'roles' | 'organization'> & {
  /** Id of the record of the patient whom an administrator has entered for the user, not one whom an application asks for. */
  readonly patient?: string;
};

/** A sign-in that came to nothing leaves one row a user and this long, however often it is tried. Milliseconds. */
const failedOnceIn = 60_000;

/** The log of sign-ins, as those write it who serve no records. */
export class SignInLog {
  readonly #table: Table;
  readonly #keys: DeploymentKeys;
  readonly #ids: IdCodec;

  constructor(table: Table, keys: DeploymentKeys) {
    this.#table = table;
    this.#keys = keys;
    this.#ids = new IdCodec(keys.ids);
  }

  /** Reads the deployment's key, or makes it: somebody signs in before there is any record. */
  static async open(table: Table): Promise<SignInLog> {
    return new SignInLog(table, await deploymentKeys(table.client, table.tableName));
  }

  /**
   * Writes that somebody signed in, before a token is given. One put; two for a patient.
   *
   * @param at - milliseconds since 1970.
   */
  async signedIn(who: SignsIn, at: number, request: string): Promise<void> {
    await this.#write(who, this.#ids.newPlace(at), { at, request });
  }

  /**
   * Writes that somebody was not let in: refused by what the pool says of the user, or failed to prove who it is. One row a user, kind and minute, so that
   * nobody fills the log of another by trying.
   */
  async notLetIn(who: SignsIn, outcome: 'refused' | 'failed', at: number, request: string): Promise<void> {
    const minute = at - (at % failedOnceIn);
    const place = this.#ids.namedPlace(minute, `${outcome} sign-in ${who.subject}`);
    await this.#write(who, place, { at: minute, request, outcome });
  }

  /** Who a user was at the last sign-in; undefined for who never came in. One Query. */
  async lastKnown(subject: string): Promise<SignsIn | undefined> {
    const { client, tableName: TableName } = this.#table;
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': auditPartition(logNameOf(this, userLog(subject))) },
        ScanIndexForward: false,
        Limit: 10, // some may be of before the pool knew who it is
      }),
    );
    const entries = (Items as StoredAuditRow[])
      .filter((row) => !followsAnother(row))
      .map((row) => entryOf(row, this.#ids));
    const known = entries.find(({ fhirUser }) => fhirUser !== '');
    const [patient] = known?.what.flatMap((reference) => /^Patient\/(.+)$/.exec(reference)?.[1] ?? []) ?? [];
    return known && { ...known, ...(patient === undefined ? {} : { patient }) };
  }

  get ids(): IdCodec {
    return this.#ids;
  }

  get keys(): DeploymentKeys {
    return this.#keys;
  }

  async #write(
    { subject, name, client, fhirUser, roles, organization, patient }: SignsIn,
    place: string,
    said: Pick<AuditEntry, 'at' | 'request' | 'outcome'>,
  ): Promise<void> {
    const entry: AuditEntry = {
      interaction: 'sign-in',
      what: patient === undefined ? [] : [`Patient/${patient}`],
      subject,
      name,
      client,
      fhirUser,
      roles,
      ...(organization === undefined ? {} : { organization }),
      ...said,
    };
    const isChart = patient !== undefined && this.#ids.decode(patient)?.place === '';
    const logs = [userLog(subject), ...(isChart ? [patient] : [])];
    await Promise.all(
      logs.map((log) => putAccess(this.#table, auditRow(this.#ids, auditKey(logNameOf(this, log), place), entry))),
    );
  }
}
