import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import { typesOfPatients } from '../../record-types/homes.ts';
import { listPartition } from '../index-rows.ts';
import type { Address, RowKey } from '../keys.ts';
import type { StoredRecord } from '../rows.ts';
import { type Begun, firstOf, ofChart } from './from-charts.ts';
import type { Candidate, Position } from './plan.ts';
import { grown, listPage, type Reader, readAhead, spendFetches } from './reader.ts';

/** What heads its own chart, in the order of its keys. */
export async function* fromList(reader: Reader, owner: string, from?: Position): AsyncGenerator<Candidate> {
  for await (const { row, record } of listed(reader, owner, from?.[0])) {
    yield { record, position: [row.sk] };
  }
}

/** Everything of a type that an organisation keeps: first what heads its own chart, then chart by chart of its patients. */
export async function* fromWalk(reader: Reader, owner: string, from?: Position): AsyncGenerator<Candidate> {
  const [stage = 'own', ...within] = from ?? [];
  if (stage === 'own') {
    for await (const { record, position } of fromList(reader, owner, within)) {
      yield { record, position: ['own', ...position] };
    }
  }
  if (!typesOfPatients.has(reader.recordType.name)) return;
  for await (const { record, position } of fromPatients(reader, owner, stage === 'charts' ? within : undefined)) {
    yield { record, position: ['charts', ...position] };
  }
}

/** Chart by chart of the patients that an organisation keeps. */
export async function* fromPatients(reader: Reader, owner: string, from?: Position): AsyncGenerator<Candidate> {
  const [listAfter, keyAfter, chartAt] = from ?? [];
  let before = listAfter;
  // A position inside a chart names the patient before it, so the chart is found again, whoever has come in between.
  const begun = (chart: string): Begun => ({
    after: chart === chartAt && keyAfter !== undefined ? String(keyAfter) : undefined,
    known: [],
    pointers: 'none',
  });
  const patients = eachOf(listRows(reader, owner, 'Patient', before));
  for await (const [{ chart, sk }, first] of readAhead(reader, patients, (row) =>
    firstOf(reader, row.chart, begun(row.chart)),
  )) {
    for await (const { record, key } of ofChart(reader, chart, begun(chart), first)) {
      yield { record, position: [before ?? '', key, chart] };
    }
    before = sk;
    yield { record: undefined, position: [before] };
  }
}

async function* eachOf<T>(lots: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const lot of lots) yield* lot;
}

/** What heads its own chart, of one type, in the order of its keys. */
async function* listed(
  reader: Reader,
  owner: string,
  from: string | number | undefined,
): AsyncGenerator<{ row: RowKey; record: StoredRecord | undefined }> {
  const { store, recordType, spend } = reader;
  const read = (rows: readonly ListRow[]) =>
    store.readPage(rows.map(({ chart, place }) => ({ type: recordType.name, chart, place })));
  for await (const [rows, first] of readAhead(reader, listRows(reader, owner, recordType.name, from), read)) {
    let page = first;
    for (let at = 0; ; page = await read(rows.slice(at))) {
      spend();
      spendFetches(spend, page);
      const byChart = new Map(page.records.map((record) => [record.chart, record]));
      for (const row of rows.slice(at, at + page.taken)) yield { row, record: byChart.get(row.chart) };
      at += page.taken;
      if (at >= rows.length) break;
    }
  }
}

type ListRow = RowKey & Pick<Address, 'chart' | 'place'>;

/** Rows of a list, a hundred each time. Its pages grow: who reads on is about to read all of it. */
async function* listRows(
  { store, spend }: Reader,
  owner: string,
  type: string,
  from: string | number | undefined,
): AsyncGenerator<readonly ListRow[]> {
  const pk = listPartition(owner, type);
  let after = from === undefined || from === '' ? undefined : String(from);
  let limit = listPage;
  do {
    spend();
    const { Items = [], LastEvaluatedKey }: QueryCommandOutput = await store.client.send(
      new QueryCommand({
        TableName: store.tableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': pk },
        Limit: limit,
        ...(after === undefined ? {} : { ExclusiveStartKey: { pk, sk: after } }),
      }),
    );
    const rows = Items as ListRow[];
    for (let at = 0; at < rows.length; at += listPage) yield rows.slice(at, at + listPage);
    after = LastEvaluatedKey?.sk as string | undefined;
    limit = grown(limit);
  } while (after !== undefined);
}
