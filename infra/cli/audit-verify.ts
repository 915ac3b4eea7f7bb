import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as z from 'zod/mini';
import { type Head, verifyLog } from '../../shared/audit/chain/verify.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import type { Table } from '../../shared/store/write-rows.ts';
import { useDummyCredentials } from '../local/dummy-credentials.ts';
import { CommandFailed, runCommand } from './command.ts';
import { logsOf } from './logs-of-table.ts';
import { findRunningServer } from './running-server.ts';

const usage = `npm run audit:verify -- [--table NAME] [--log CHART]… [--heads FILE]

Compares the access logs with their chains, and names each row that was altered, removed or inserted.
--table  a deployed table, with the region and the credentials of the environment; else that of the running local server
--log    only this log: the id of a patient
--heads  compares with the ends of chains in this file as well, and keeps those of today there if nothing is wrong. Keep it where nobody
         can write who can write the table: with it, a chain that was built anew or cut off is named, too.`;

const headsSchema = z.array(z.object({ log: z.string(), number: z.number(), hash: z.string() }));

const headsIn = (file: string | undefined): Head[] => {
  if (file === undefined || !existsSync(file)) return [];
  const found = headsSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!found.success) throw new CommandFailed(`${file} holds no heads of chains`);
  return found.data;
};

const tableOf = async (name: string | undefined): Promise<Table> => {
  if (name !== undefined) return { client: documentClient(), tableName: name };
  const { dynamodb, table } = await findRunningServer();
  useDummyCredentials();
  return { client: documentClient({ endpoint: dynamodb }), tableName: table };
};

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      table: { type: 'string' },
      log: { type: 'string', multiple: true },
      heads: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const table = await tableOf(values.table);
  const kept = Map.groupBy(headsIn(values.heads), ({ log }) => log);
  const heads: Head[] = [];
  const count = { logs: 0, rows: 0, faults: 0, tail: 0 };
  const look = async (log: string) => {
    const verdict = await verifyLog(table, log, kept.get(log));
    count.logs++;
    count.rows += verdict.rows;
    count.faults += verdict.faults.length;
    count.tail += verdict.tail.length;
    if (verdict.head) heads.push(verdict.head);
    for (const { kind, place } of verdict.faults) console.log(`${kind} A#${log} ${place}`);
    for (const place of verdict.tail) console.log(`not chained yet A#${log} ${place}`);
  };
  if (values.log) for (const log of values.log) await look(log);
  else {
    const seen = new Set<string>();
    for await (const log of logsOf(table)) {
      seen.add(log);
      await look(log);
    }
    // A log that is gone with its chain is known by its head alone.
    for (const log of kept.keys()) if (!seen.has(log)) await look(log);
  }
  console.log(
    `${count.logs} logs with ${count.rows} rows: ${count.faults} faults; ${count.tail} rows are newer than their chains`,
  );
  if (values.heads !== undefined && count.faults === 0) {
    const looked = new Set(heads.map(({ log }) => log));
    const others = [...kept.values()].flat().filter(({ log }) => !looked.has(log));
    writeFileSync(values.heads, JSON.stringify([...others, ...heads]));
  }
  return count.faults === 0 ? 0 : 1;
};

runCommand(main);
