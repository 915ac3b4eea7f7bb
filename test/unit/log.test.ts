import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { RecordError } from '../../shared/errors.ts';
import { log } from '../../shared/log.ts';

let written: string[];
let spies: MockInstance[];

beforeEach(() => {
  written = [];
  const keep = (chunk: unknown) => {
    written.push(String(chunk));
    return true;
  };
  spies = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write').mockImplementation(keep));
});
afterEach(() => {
  for (const spy of spies) spy.mockRestore();
});

const lines = () => written.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('log', () => {
  it('writes one line of JSON with the fields that it was given', () => {
    log.info('request', {
      requestId: 'r-1',
      recordType: 'Encounter',
      interaction: 'read',
      statusCode: 200,
      durationMs: 12,
    });

    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toMatchObject({
      message: 'request',
      requestId: 'r-1',
      recordType: 'Encounter',
      statusCode: 200,
      durationMs: 12,
    });
  });

  it.each([
    ['an error', new TypeError('Smith, John\n    born 1970'), 'TypeError'],
    ['an error whose message looks like a stack', new RangeError('x\n    at Smith (1970)'), 'RangeError'],
    ['a refusal', new RecordError('invalid', 'Smith, John'), 'RecordError'],
    ['an error with a cause', new Error('outer', { cause: new Error('Smith, John') }), 'Error'],
    ['an error with details', Object.assign(new Error('x'), { Item: { name: 'Smith, John' } }), 'Error'],
    ['a text', 'Smith, John', 'string'],
    ['a record', { resourceType: 'Patient', name: [{ family: 'Smith' }] }, 'object'],
  ])('tells the kind and the place of a fault, but no word of its message: %s', (_name, thrown, kind) => {
    log.fault('request failed', thrown, { requestId: 'r-1' });

    expect(written).toHaveLength(1);
    expect(written[0]).not.toMatch(/Smith|1970|outer/);
    expect(lines()[0]).toMatchObject({ message: 'request failed', requestId: 'r-1', fault: kind });
  });

  it('tells where in the code an error came from', () => {
    log.fault('request failed', new Error('Smith'));

    expect(lines()[0]).toMatchObject({ at: expect.arrayContaining([expect.stringMatching(/^at .*log\.test\.ts/)]) });
  });
});
