import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cell, type Told, withTold } from '../../../shared/hl7-v2/told.ts';

const told = (cells: readonly Cell[]): Told => ({
  type: 'Patient',
  key: { system: 'urn:mrn', value: '1' },
  cells,
  initially: { active: true },
});
const stamp = (at: number, controlId = 'A') => ({ at, controlId });

describe('withTold', () => {
  it('lets the latest message that mentions an element say what it is, and nothing take away what it leaves out', () => {
    const first = withTold(
      undefined,
      told([
        { slot: 'birthDate', value: '1980' },
        { slot: 'gender', value: 'female' },
      ]),
      stamp(2),
    );
    const second = withTold(
      first.resource,
      told([
        { slot: 'birthDate', value: '1970' },
        { slot: 'maritalStatus', value: { text: 'S' } },
      ]),
      stamp(1),
    );
    const third = withTold(second.resource, told([{ slot: 'gender', value: undefined }]), stamp(3));

    expect(second).toMatchObject({
      resource: { active: true, birthDate: '1980', maritalStatus: { text: 'S' } },
      changed: true,
      overtaken: ['birthDate'],
    });
    expect(third.resource).not.toHaveProperty('gender');
  });

  it('writes nothing for what it has heard already', () => {
    const cells = [{ slot: 'birthDate', value: '1980' }];
    const { resource } = withTold(undefined, told(cells), stamp(1));

    expect(withTold(resource, told(cells), stamp(1))).toEqual({ resource, changed: false, overtaken: [] });
  });

  it('keeps what was written by hand of elements and parts that no message speaks of', () => {
    const current = {
      resourceType: 'Patient',
      telecom: [
        { use: 'work', value: '1' },
        { use: 'home', value: '2' },
      ],
      extension: [{ url: 'urn:own' }],
      deceasedBoolean: false,
    };
    const { resource } = withTold(
      current,
      told([
        { slot: 'telecom#home', value: [{ use: 'mobile', value: '3' }] },
        { slot: 'deceased[x]', value: { deceasedDateTime: '2026' } },
      ]),
      stamp(1),
    );

    expect(resource).toMatchObject({
      telecom: [{ value: '3' }, { value: '1' }],
      extension: [{ url: 'urn:own' }, {}],
      deceasedDateTime: '2026',
    });
    expect(resource).not.toHaveProperty('deceasedBoolean');
  });

  it('comes to the same in each order of any messages, however often they are told', () => {
    const slots = ['name', 'birthDate', 'telecom#home', 'telecom#work', 'deceased[x]', 'contact.text'];
    const value = (slot: string, number: number): unknown => {
      if (number === 0) return undefined;
      if (slot.startsWith('telecom')) return [{ use: slot.slice('telecom#'.length), value: String(number) }];
      return slot === 'deceased[x]'
        ? { [number % 2 ? 'deceasedBoolean' : 'deceasedDateTime']: String(number) }
        : String(number);
    };
    const message = fc.record({
      at: fc.integer({ min: 0, max: 5 }),
      says: fc.uniqueArray(fc.tuple(fc.constantFrom(...slots), fc.integer({ min: 0, max: 3 })), {
        selector: ([slot]) => slot,
        maxLength: 4,
      }),
    });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 6 }).chain((messages) => {
          const named = messages.map((each, index) => ({ ...each, controlId: String(index) }));
          return fc.tuple(
            fc.constant(named),
            fc.shuffledSubarray([...named, ...named], { minLength: named.length * 2 }),
          );
        }),
        ([inOrder, mixed]) => {
          const after = (messages: typeof inOrder) =>
            messages.reduce<Readonly<Record<string, unknown>> | undefined>(
              (current, { at, controlId, says }) =>
                withTold(current, told(says.map(([slot, number]) => ({ slot, value: value(slot, number) }))), {
                  at,
                  controlId,
                }).resource,
              undefined,
            );
          expect(after(mixed)).toEqual(after(inOrder));
        },
      ),
      { numRuns: 300 },
    );
  });
});
