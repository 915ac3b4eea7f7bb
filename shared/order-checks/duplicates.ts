import { type Finding, finding } from './findings.ts';
import type { Pack } from './knowledge.ts';
import { type KnownMedicines, membersOf, nameOf } from './known-medicines.ts';
import type { Medicine } from './medicine.ts';

/** The same ingredient again, or a second one of a class of which one is enough. */
export const duplicatesOf = (
  order: Medicine,
  current: readonly Medicine[],
  pack: Pack,
  known: KnownMedicines,
): readonly Finding[] =>
  current.flatMap((other) => {
    const same = order.ingredients.filter((id) => other.ingredients.includes(id));
    return [
      ...same.map((id) =>
        finding(
          {
            kind: 'duplicate',
            code: 'duplicate-ingredient',
            severity: 'moderate',
            text: `${nameOf(id, known)} is taken already, or is to be.`,
            record: other.record,
          },
          pack,
        ),
      ),
      ...pack.duplicates.flatMap((rule) => {
        const members = membersOf(rule.class, known);
        const mine = order.ingredients.find((id) => members.includes(id) && !same.includes(id));
        const theirs = other.ingredients.find((id) => members.includes(id) && !same.includes(id));
        if (mine === undefined || theirs === undefined) return [];
        const text = `${nameOf(mine, known)} and ${nameOf(theirs, known)} are both ${nameOf(rule.class, known)}: ${rule.text}`;
        return finding(
          { kind: 'duplicate', code: 'duplicate-class', severity: rule.severity, text, record: other.record, rule },
          pack,
        );
      }),
    ];
  });
