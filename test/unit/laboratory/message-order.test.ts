import { describe, expect, it } from 'vitest';
import { digestIn, messageKey } from '../../../shared/laboratory/message-order.ts';
import { ordersOf } from '../../../shared/laboratory/report-numbers.ts';

const digest = 'a1';
const at = (issued: string, status = 'final') => messageKey(status, { issued }, digest) ?? '';
const counted = (version: number, status = 'final') => messageKey(status, { version }, digest) ?? '';

describe('messageKey', () => {
  it('goes by time, whatever zone and precision it is told in', () => {
    expect(at('2026-11-20T10:00:00+02:00') < at('2026-11-20T09:00:00Z')).toBe(true);
    expect(at('2026-11-20T10:00:00Z')).toBe(at('2026-11-20T10:00:00.000Z'));
  });

  it('goes by count as by a number, and takes who counts before who does not', () => {
    expect(counted(9) < counted(10)).toBe(true);
    expect(at('2099-01-01T00:00:00Z') < counted(1)).toBe(true);
    expect(messageKey('final', { version: 2, issued: '2026-11-20T10:00:00Z' }, digest)).toBe(counted(2));
  });

  it('lets nothing preliminary take the place of what is final', () => {
    for (const status of ['registered', 'partial', 'preliminary', 'unknown'])
      for (const done of ['final', 'amended', 'corrected', 'appended', 'cancelled', 'entered-in-error'])
        expect(counted(9, status) < counted(1, done), `${status} ${done}`).toBe(true);
  });

  it('tells two of one time apart by their state, then by what they say', () => {
    expect(at('2026-11-20T10:00:00Z', 'final') < at('2026-11-20T10:00:00Z', 'corrected')).toBe(true);
    expect(at('2026-11-20T10:00:00Z') < (messageKey('final', { issued: '2026-11-20T10:00:00Z' }, 'a2') ?? '')).toBe(
      true,
    );
    expect(digestIn(at('2026-11-20T10:00:00Z'))).toBe(digest);
  });

  it('is none where neither count nor time is told', () => {
    expect(messageKey('final', {}, digest)).toBeUndefined();
  });
});

describe('ordersOf', () => {
  const types = 'http://terminology.hl7.org/CodeSystem/v2-0203';
  const number = (value: string, code?: string, system = 'http://concord.test/a'): fhir4.Identifier => ({
    ...(code === undefined ? {} : { type: { coding: [{ system: types, code }] } }),
    system,
    value,
  });
  const report = (...identifier: fhir4.Identifier[]): fhir4.DiagnosticReport => ({
    resourceType: 'DiagnosticReport',
    status: 'final',
    code: {},
    identifier,
  });
  const order = (id: string, elements: object) => ({ id, resource: { resourceType: 'ServiceRequest', ...elements } });
  const found = (sent: fhir4.DiagnosticReport, ...orders: ReturnType<typeof order>[]) =>
    ordersOf(sent, orders).map(({ id }) => id);

  it('takes the placer before the filler, and whatever type the placer gave it', () => {
    const placed = order('placed', { identifier: [number('1')] });
    const filled = order('filled', { identifier: [number('2', 'FILL')] });
    expect(found(report(number('1', 'PLAC'), number('2', 'FILL')), filled, placed)).toEqual(['placed']);
    expect(found(report(number('3', 'PLAC'), number('2', 'FILL')), filled, placed)).toEqual(['filled']);
  });

  it('takes no number of another assigner, of another kind, or of an order entered in error', () => {
    const orders = [
      order('other', { identifier: [number('1', 'PLAC', 'http://concord.test/b')] }),
      order('kind', { identifier: [number('1', 'FILL')] }),
      order('error', { identifier: [number('1')], status: 'entered-in-error' }),
      order('none', { identifier: [{ value: '1' }] }),
    ];
    expect(
      found(report(number('1', 'PLAC'), { ...number('1', 'PLAC'), system: undefined as never }), ...orders),
    ).toEqual([]);
  });
});
