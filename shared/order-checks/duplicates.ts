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
): readonly Finding[] => {
  const rules = pack.duplicates.filter((rule) =>
    membersOf(rule.class, known).some((id) => order.ingredients.includes(id)),
  );
  return current.flatMap((other) => {
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
      ...rules.flatMap((rule) => {
        const members = membersOf(rule.class, known);
        const [mine, theirs] = twoOf(members, order.ingredients, other.ingredients, same) ?? [];
        if (mine === undefined || theirs === undefined) return [];
        const text = `${nameOf(mine, known)} beside ${nameOf(theirs, known)} (${nameOf(rule.class, known)}). ${rule.text}`;
        return finding(
          { kind: 'duplicate', code: 'duplicate-class', severity: rule.severity, text, record: other.record, rule },
          pack,
        );
      }),
    ];
  });
};

/** Two ingredients of a class, one of each medicine, of which one at least is not in both, and which are two therefore. */
const twoOf = (
  members: readonly string[],
  mine: readonly string[],
  theirs: readonly string[],
  same: readonly string[],
): readonly [string, string] | undefined => {
  for (const a of mine) {
    for (const b of theirs) {
      const isTold = same.includes(a) && same.includes(b);
      if (!isTold && members.includes(a) && members.includes(b)) return [a, b];
    }
  }
  return undefined;
};
