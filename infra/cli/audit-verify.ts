import { parseArgs } from 'node:util';
import { kmsMacKey } from '../../shared/audit/digest/mac-key.ts';
import { type Anchors, readDigests } from '../../shared/audit/digest/read-digests.ts';
import { verifyLogs } from '../../shared/audit/digest/verify-logs.ts';
import type { DigestContext } from '../../shared/audit/digest/write-digests.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { lockedObjects } from '../../shared/store/locked-objects.ts';
import type { Table } from '../../shared/store/write-rows.ts';
import { useDummyCredentials } from '../local/dummy-credentials.ts';
import { CommandFailed, runCommand } from './command.ts';
import { logsOf } from './logs-of-table.ts';
import { findRunningServer } from './running-server.ts';

const usage = `npm run audit:verify -- [--table NAME [--digests BUCKET --key ID]] [--log CHART]…

Compares the access logs with their chains, and the chains with the daily digests. Names each row that was altered, removed or inserted, each
chain that was built anew, cut off or removed, and each digest that is missing or not what was written.
--table    a deployed table, with the region and the credentials of the environment; else that of the running local server
--digests  the bucket of its digests
--key      the KMS key that authenticates them
--log      only this log: the id of a patient`;

interface Place {
  readonly table: Table;
  readonly digests: Omit<DigestContext, 'table'> | undefined;
}

const deployed = (tableName: string, bucket: string | undefined, keyId: string | undefined): Place => {
  const client = documentClient();
  const table = { client, tableName };
  if (bucket === undefined && keyId === undefined) return { table, digests: undefined };
  if (bucket === undefined || keyId === undefined) throw new CommandFailed('--digests and --key go together');
  return { table, digests: { digests: lockedObjects(client, { bucket }), key: kmsMacKey(client, { keyId }) } };
};

const running = async (): Promise<Place> => {
  const { dynamodb, table: tableName, objects, digests: bucket, keys, digestKey: keyId } = await findRunningServer();
  useDummyCredentials();
  const client = documentClient({ endpoint: dynamodb });
  return {
    table: { client, tableName },
    digests: {
      digests: lockedObjects(client, { bucket, endpoint: objects }),
      key: kmsMacKey(client, { keyId, endpoint: keys }),
    },
  };
};

const noDigests: Anchors = { days: [], faults: [], heads: new Map(), complete: { from: 0, to: 0 } };

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      table: { type: 'string' },
      digests: { type: 'string' },
      key: { type: 'string' },
      log: { type: 'string', multiple: true },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const { table, digests } =
    values.table === undefined ? await running() : deployed(values.table, values.digests, values.key);
  const anchors = digests ? await readDigests(digests) : noDigests;
  for (const { kind, day } of anchors.faults) console.log(`${kind} ${day}`);

  const count = { logs: 0, rows: 0, faults: anchors.faults.length, tail: 0, unanchored: 0 };
  const missing = await verifyLogs(table, values.log ?? logsOf(table), anchors, (verdict) => {
    count.logs++;
    count.rows += verdict.rows;
    count.faults += verdict.faults.length;
    count.tail += verdict.tail.length;
    count.unanchored += verdict.unanchored;
    for (const { kind, log, place } of verdict.faults) console.log(`${kind} A#${log} ${place}`.trimEnd());
    for (const place of verdict.tail) console.log(`not chained yet A#${verdict.log} ${place}`);
  });
  // Of logs that are gone, digests know a hash of the name alone.
  for (const { kind, log } of values.log ? [] : missing) {
    count.faults++;
    console.log(`${kind} ${log}`);
  }
  const newest = anchors.days.at(-1);
  console.log(
    `${count.logs} logs with ${count.rows} rows: ${count.faults} faults; ${count.tail} rows are newer than their chains, ${count.unanchored} newer than the digest of their log`,
  );
  console.log(newest === undefined ? 'No digest was looked at' : `Digests: ${anchors.days[0]} to ${newest}`);
  return count.faults === 0 ? 0 : 1;
};

runCommand(main);
