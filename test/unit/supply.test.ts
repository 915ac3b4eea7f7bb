import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Resource } from '../../shared/fhir/resource.ts';
import { standingAt } from '../../shared/prescriptions/standing.ts';
import { judgeDispense, type KnownDispense, supplyOf } from '../../shared/prescriptions/supply.ts';
import { loadUnits } from '../../shared/search/units.ts';

const units = await loadUnits();
const ucum = 'http://unitsofmeasure.org';
const dayMs = 86_400_000;
const start = Date.UTC(2026, 0, 1);
const date = (day: number) => new Date(start + day * dayMs).toISOString().slice(0, 10);
const quantity = (value: number, code = '{tbl}') => ({ value, system: ucum, code });
const days = (value: number) => quantity(value, 'd');

const order = (dispenseRequest: fhir4.MedicationRequestDispenseRequest): Resource =>
  ({ resourceType: 'MedicationRequest', status: 'active', intent: 'order', dispenseRequest }) as unknown as Resource;
const dispense = (elements: object): Resource =>
  ({ resourceType: 'MedicationDispense', status: 'completed', ...elements }) as unknown as Resource;
const known = (elements: object, updated = start): KnownDispense => ({ resource: dispense(elements), updated });
const judged = (dispenseRequest: object, next: object, others: readonly KnownDispense[] = [], now = start) =>
  judgeDispense(order(dispenseRequest), dispense(next), others, { now, units });
const codesOf = (...asked: Parameters<typeof judged>) => judged(...asked).findings.map(({ code }) => code);

describe('what an order lets be supplied', () => {
  it.each([
    ['the same unit', quantity(20), []],
    ['more of it', quantity(21), ['quantity-exceeded']],
    ['another unit of the same', { value: 0.1, system: ucum, code: 'L' }, [], quantity(100, 'mL')],
    ['more in another unit', { value: 0.2, system: ucum, code: 'L' }, ['quantity-exceeded'], quantity(100, 'mL')],
    ['the same words', { value: 21, unit: 'Tablet ' }, ['quantity-exceeded'], { value: 20, unit: 'tablet' }],
  ])('is compared by %s', (_how, given, codes, ordered: fhir4.Quantity = quantity(20)) => {
    const found = judged({ quantity: ordered, numberOfRepeatsAllowed: 0 }, { quantity: given });
    expect(found.findings.map(({ code }) => code)).toEqual(codes);
    expect(found.notReckoned).not.toContain('quantity-not-comparable');
  });

  it.each([
    ['what measures something else', quantity(500, 'mg'), quantity(20, 'mL')],
    ['capsules with tablets', quantity(500, '{cap}'), quantity(20)],
    ['words with a code', { value: 500, unit: 'tablet' }, quantity(20)],
    ['words with other words', { value: 500, unit: 'capsule' }, { value: 20, unit: 'tablet' }],
    ['more than a value', { ...quantity(500), comparator: '>' }, quantity(20)],
    ['what says no value', undefined, quantity(20)],
  ])('is not compared with %s, and that is said', (_what, given, ordered) => {
    const found = judged({ quantity: ordered, numberOfRepeatsAllowed: 0 }, { quantity: given });
    expect(found.findings).toEqual([]);
    expect(found.notReckoned).toContain('quantity-not-comparable');
  });

  it('takes part fills for one fill together, and a first fill of its own for that', () => {
    const request = { quantity: quantity(30), numberOfRepeatsAllowed: 0 };
    const part = (value: number) => ({ quantity: quantity(value), type: { coding: [{ code: 'RFP' }] } });
    expect(codesOf(request, part(10), [known(part(10)), known(part(10))])).toEqual([]);
    expect(codesOf(request, part(11), [known(part(10)), known(part(10))])).toEqual([
      'repeats-exceeded',
      'quantity-exceeded',
    ]);
    const withFirst = { ...request, numberOfRepeatsAllowed: 1, initialFill: { quantity: quantity(7) } };
    expect(supplyOf(order(withFirst), [], units).total).toBe(37);
  });

  it.each([
    ['not told', {}, ['repeats-not-told', 'quantity-not-told', 'validity-not-told']],
    ['told', { numberOfRepeatsAllowed: 1, quantity: quantity(1), validityPeriod: { end: '2027' } }, []],
  ])('says what is %s', (_which, request, notReckoned) => {
    expect(supplyOf(order(request), [], units).notReckoned).toEqual(notReckoned);
  });

  it('is not given back by a dispense of less than nothing', () => {
    const request = { quantity: quantity(30), numberOfRepeatsAllowed: 1, expectedSupplyDuration: days(30) };
    const full = known({ quantity: quantity(60), daysSupply: days(60), whenHandedOver: date(0) });
    const part = { type: { coding: [{ code: 'RFP' }] } };
    const below = known({ ...part, quantity: quantity(-60), daysSupply: days(-60), whenHandedOver: date(1) });
    const supply = supplyOf(order(request), [full, below], units);

    expect([supply.supplied, supply.fills, supply.lastsUntil]).toEqual([60, 1, start + 60 * dayMs]);
    expect(codesOf(request, { ...part, quantity: quantity(30), whenHandedOver: date(2) }, [full, below])).toEqual([
      'quantity-exceeded',
      'early',
    ]);
    const lasting = known({ quantity: quantity(30), daysSupply: days(-1), whenHandedOver: date(0) });
    expect(supplyOf(order(request), [lasting], units).lastsUntil).toBe(start + 30 * dayMs);
  });

  it('lasts as the supplies do one behind the other, by what each says, else by its share of what the order expects', () => {
    const request = { quantity: quantity(30), expectedSupplyDuration: days(30) };
    const until = (...supplies: object[]) => {
      const { lastsUntil } = supplyOf(
        order(request),
        supplies.map((each) => known(each)),
        units,
      );
      return lastsUntil === undefined ? undefined : (lastsUntil - start) / dayMs;
    };
    expect(until()).toBeUndefined();
    expect(until({ whenHandedOver: date(0) })).toBe(30);
    expect(until({ whenHandedOver: date(0), quantity: quantity(10) })).toBe(10);
    expect(until({ whenHandedOver: date(0), daysSupply: quantity(2, 'wk') })).toBe(14);
    expect(until({ whenHandedOver: date(0), daysSupply: { value: 5, unit: 'days' } })).toBe(5);
    expect(until({ whenHandedOver: date(20) }, { whenHandedOver: date(0) })).toBe(60);
    expect(until({ whenHandedOver: date(50) }, { whenHandedOver: date(0) })).toBe(80);
    expect(until({ whenHandedOver: date(0), status: 'declined' })).toBeUndefined();
  });

  it('is not early on the day when it is used up, and not by a supply that was had later', () => {
    const request = { expectedSupplyDuration: days(30) };
    const first = known({ whenHandedOver: date(0) });
    expect(codesOf(request, { whenHandedOver: date(29) }, [first])).toEqual(['early']);
    expect(codesOf(request, { whenHandedOver: date(30) }, [first])).toEqual([]);
    expect(codesOf(request, { whenHandedOver: date(30) }, [first, known({ whenHandedOver: date(60) })])).toEqual([]);
    expect(codesOf({ dispenseInterval: days(30) }, { status: 'preparation' }, [first], start + 29 * dayMs)).toEqual([
      'early',
    ]);
  });

  it.each([
    [9, ['outside-validity']],
    [10, []],
    [20, []],
    [21, ['outside-validity']],
  ])('is judged by the time for which the order may be filled: day %s', (day, codes) => {
    const validityPeriod = { start: date(10), end: date(20) };
    expect(codesOf({ validityPeriod }, { whenHandedOver: date(day) })).toEqual(codes);
  });
});

describe('any course of supplies', () => {
  interface Model {
    readonly day: number;
    readonly value: number;
    readonly status: 'completed' | 'preparation' | 'declined' | 'on-hold';
  }
  const supply = fc.record<Model>({
    day: fc.integer({ min: 0, max: 120 }),
    value: fc.constantFrom(10, 15, 30),
    status: fc.constantFrom('completed', 'preparation', 'declined', 'on-hold'),
  });
  const bodyOf = ({ day, value, status }: Model) =>
    known({
      status,
      quantity: quantity(value),
      ...(status === 'completed' ? { whenHandedOver: date(day) } : { whenPrepared: date(day) }),
    });

  it('is judged as by counting tablets day by day', () => {
    fc.assert(
      fc.property(
        fc.array(supply, { maxLength: 8 }),
        supply,
        fc.integer({ min: 0, max: 5 }),
        (others, next, repeats) => {
          const use = others.filter(({ status }) => status !== 'declined');
          // A tablet a day: the stock at the beginning of each day.
          let stock = 0;
          for (let day = 0; day < next.day; day++) {
            for (const each of use) if (each.day === day) stock += each.value;
            if (stock > 0) stock--;
          }
          const sameDay = use.some(({ day }) => day === next.day);
          const counted = next.status === 'declined' ? [] : [next];
          const tablets = [...use, ...counted].reduce((sum, { value }) => sum + value, 0);
          const expected = [
            ...(use.length + counted.length > repeats + 1 ? ['repeats-exceeded'] : []),
            ...(tablets > 30 * (repeats + 1) ? ['quantity-exceeded'] : []),
            ...(stock > 0 || sameDay ? ['early'] : []),
          ];
          const request = { quantity: quantity(30), numberOfRepeatsAllowed: repeats, expectedSupplyDuration: days(30) };
          const found = judgeDispense(order(request), bodyOf(next).resource, others.map(bodyOf), { now: start, units });
          expect(found.findings.map(({ code }) => code)).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('how an order stood', () => {
  const status = fc.constantFrom('active', 'on-hold', 'completed', 'stopped', 'cancelled', 'draft');

  it('is what its version of that time says, whatever came later', () => {
    fc.assert(
      fc.property(
        fc.array(status, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: -1, max: 9 }),
        (states, asked) => {
          const versions = states
            .map((each, index) => ({
              updated: index * 10,
              resource: { ...order({}), status: each } as unknown as Resource,
            }))
            .reverse();
          const then = asked < 0 ? undefined : states[Math.min(asked, states.length - 1)];
          const expected = then === undefined ? 'not-known' : then === 'active' ? 'unsigned' : then;
          expect(standingAt(versions, asked * 10 + 5)).toBe(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    ['deleted', undefined, 'deleted'],
    ['a proposal', { status: 'active', intent: 'proposal' }, 'no-order'],
    ['not to be given', { status: 'active', intent: 'order', doNotPerform: true }, 'not-to-be-given'],
    ['of a state that nobody knows', { status: 'unknown', intent: 'order' }, 'unsigned'],
    [
      'taken down for a prescriber who is still to sign it',
      {
        status: 'active',
        intent: 'order',
        meta: { extension: [{ url: 'https://concord.example/fhir/StructureDefinition/order-taken' }] },
      },
      'in-force',
    ],
  ])('tells what is %s', (_which, resource, standing) => {
    expect(standingAt([{ updated: 0, resource: resource as unknown as Resource }], 1)).toBe(standing);
  });

  it('was in error from the beginning, once that is said', () => {
    const wrong = { ...order({}), status: 'entered-in-error' } as unknown as Resource;
    expect(
      standingAt(
        [
          { updated: 10, resource: wrong },
          { updated: 0, resource: order({}) },
        ],
        5,
      ),
    ).toBe('entered-in-error');
  });
});
