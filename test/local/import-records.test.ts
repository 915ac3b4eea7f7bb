import { describe, expect, it } from 'vitest';
import type { Answer } from '../../infra/cli/fhir-poster.ts';
import type { Posting, Unpostable } from '../../infra/cli/import-plan.ts';
import { importRecords, type Result } from '../../infra/cli/import-records.ts';
import { ImportReport } from '../../infra/cli/import-report.ts';

const refusal = (status: number, code: string, text: string, expression?: string) => ({
  resourceType: 'OperationOutcome',
  issue: [
    {
      severity: 'error',
      code: 'invalid',
      details: { coding: [{ code }], text },
      ...(expression ? { expression: [expression] } : {}),
    },
  ],
  status,
});

/** A posting whose entries bear numbers. */
const posting = (type: Posting['type'], ...numbers: number[]): Posting => ({
  type,
  entries: numbers.map((number) => ({
    place: `entry ${number}`,
    entry: {
      resource: { resourceType: 'Basic', id: String(number), code: {} },
      request: { method: 'POST', url: 'Basic' },
    },
  })),
});

const numbersOf = (bundle: fhir4.Bundle) => (bundle.entry ?? []).map(({ resource }) => Number(resource?.id));

/** A server that knows a record by its number, and takes an entry once those that it `needs` are there. */
const serverWith = (needs: Readonly<Record<number, number>> = {}, refused: readonly number[] = []) => {
  const stored = new Set<number>();
  const posted: { type: string; numbers: number[] }[] = [];
  const problem = (number: number) => {
    if (refused.includes(number)) return refusal(400, 'validation', 'is required', 'Basic.code');
    const needed = needs[number];
    return needed === undefined || stored.has(needed)
      ? undefined
      : refusal(400, 'reference-not-found', `Basic/${needed} does not exist`);
  };
  const post = (bundle: fhir4.Bundle): Promise<Answer> => {
    const numbers = numbersOf(bundle);
    posted.push({ type: bundle.type, numbers });
    const problems = numbers.map(problem);
    const first = problems.find((found) => found !== undefined);
    if (bundle.type === 'transaction' && first) return Promise.resolve({ status: first.status, body: first });
    for (const [index, number] of numbers.entries()) if (!problems[index]) stored.add(number);
    const entry = problems.map((found) => ({
      response: found ? { status: `${found.status} Bad Request`, outcome: found } : { status: '201 Created' },
    }));
    return Promise.resolve({ status: 200, body: { resourceType: 'Bundle', type: `${bundle.type}-response`, entry } });
  };
  return { post, posted, stored };
};

async function* each(...planned: (Posting | Unpostable)[]) {
  yield* planned;
}

const run = async (
  server: { post: (bundle: fhir4.Bundle) => Promise<Answer> },
  ...planned: (Posting | Unpostable)[]
) => {
  const results: Result[] = [];
  await importRecords(each(...planned), server.post, (some) => results.push(...some));
  return {
    accepted: results.filter(({ reason }) => reason === undefined).length,
    refused: results.filter(({ reason }) => reason !== undefined),
    results,
  };
};

describe('importRecords', () => {
  it('counts every entry of a transaction and of a batch', async () => {
    const { accepted, refused } = await run(serverWith(), posting('batch', 1, 2), posting('transaction', 3, 4, 5));

    expect([accepted, refused]).toEqual([5, []]);
  });

  it('refuses all of a transaction for one reason, and goes on', async () => {
    const { accepted, refused } = await run(
      serverWith({}, [2]),
      posting('transaction', 1, 2),
      posting('transaction', 3),
    );

    expect(accepted).toBe(1);
    expect(refused).toEqual([
      { place: 'entry 1', type: 'Basic', reason: '400 Basic.code: is required' },
      { place: 'entry 2', type: 'Basic', reason: '400 Basic.code: is required' },
    ]);
  });

  it('follows the answer of a batch entry by entry', async () => {
    const { accepted, refused } = await run(serverWith({}, [2]), posting('batch', 1, 2, 3));

    expect(accepted).toBe(2);
    expect(refused.map(({ place }) => place)).toEqual(['entry 2']);
  });

  it('posts again what waited on a reference, and of a batch only that', async () => {
    const server = serverWith({ 1: 3, 4: 5 });

    const { accepted, refused } = await run(
      server,
      posting('batch', 1, 2),
      posting('batch', 3),
      posting('transaction', 4),
      posting('transaction', 5),
    );

    expect([accepted, refused]).toEqual([5, []]);
    expect(server.posted.slice(4)).toEqual([
      { type: 'batch', numbers: [1] },
      { type: 'transaction', numbers: [4] },
    ]);
  });

  it('goes on for as long as another round helps', async () => {
    const { accepted } = await run(serverWith({ 1: 2, 2: 3, 3: 4 }), posting('batch', 1, 2, 3, 4));

    expect(accepted).toBe(4);
  });

  it('ends when nobody gets any further, and says why each was refused', async () => {
    const server = serverWith({ 1: 2, 2: 1, 3: 99 });

    const { accepted, refused } = await run(server, posting('batch', 1, 2, 3, 4));

    expect(accepted).toBe(1);
    expect(refused).toHaveLength(3);
    expect(refused[2]).toEqual({ place: 'entry 3', type: 'Basic', reason: '400 Basic/99 does not exist' });
    expect(server.posted).toHaveLength(2);
  });

  it('refuses an entry for which a batch has no answer', async () => {
    const post = () =>
      Promise.resolve({ status: 200, body: { resourceType: 'Bundle', type: 'batch-response', entry: [] } });

    const { refused } = await run({ post }, posting('batch', 1));

    expect(refused).toMatchObject([{ reason: expect.stringContaining('did not answer') }]);
  });

  it('gives the same reason for the same fault in different entries of a batch', async () => {
    const outcome = (index: number) =>
      refusal(400, 'validation', `Entry ${index}: is empty`, `Bundle.entry[${index}].request.ifNoneExist`);
    const entry = [0, 1].map((index) => ({ response: { status: '400', outcome: outcome(index) } }));

    const { refused } = await run(
      { post: () => Promise.resolve({ status: 200, body: { entry } }) },
      posting('batch', 1, 2),
    );

    expect(refused.map(({ reason }) => reason)).toEqual([
      '400 request.ifNoneExist: is empty',
      '400 request.ifNoneExist: is empty',
    ]);
  });

  it('reports what cannot be posted', async () => {
    const { refused } = await run(serverWith(), { place: 'a.json', reason: 'is not JSON' });

    expect(refused).toEqual([{ place: 'a.json', type: 'unreadable', reason: 'is not JSON' }]);
  });
});

describe('ImportReport', () => {
  it('ends in a table by type with the reasons, the most frequent first', () => {
    const report = new ImportReport();
    const refused = (place: string, reason: string) => ({ place, type: 'Observation', reason });
    report.add(
      Array.from({ length: 1_200 }, (_, index) => ({ place: `e${index}`, type: 'Condition', reason: undefined })),
    );
    report.add([
      refused('a', '400 x'),
      refused('b', '422 y'),
      refused('c', '422 y'),
      refused('d', '422 y'),
      refused('e', '422 y'),
    ]);

    expect(report.total).toEqual({ accepted: 1_200, refused: 5 });
    expect(report.toString()).toBe(
      [
        'type          accepted    refused',
        'Condition        1,200          0',
        'Observation          0          5',
        'total            1,200          5',
        '',
        'refused because',
        '4 × 422 y',
        '    in b; c; d and 1 more',
        '1 × 400 x',
        '    in a',
      ].join('\n'),
    );
  });
});
