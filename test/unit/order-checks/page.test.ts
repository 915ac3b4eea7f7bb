import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtInPack } from '../../../shared/order-checks/built-in.ts';
import { countedStates, uncountedIntents } from '../../../shared/order-checks/current-medicines.ts';
import type { Pack } from '../../../shared/order-checks/knowledge.ts';
import { parsePack } from '../../../shared/order-checks/parse-pack.ts';
import { holdsDays, possibleYears } from '../../../shared/order-checks/pregnancy.ts';
import { renalDays } from '../../../shared/order-checks/renal.ts';
import { renalCodes } from '../../../shared/order-checks/tells-of-state.ts';
import { rowsOf } from '../../support/order-check-tables.ts';

const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/order-checks.md'), 'utf8');

/** Rows of the table whose first head is this one. */
const rowsUnder = (heading: string): readonly string[][] => {
  const lines = page.split('\n');
  const first = lines.findIndex((line) => line.split('|')[1]?.trim() === heading);
  const end = lines.findIndex((line, index) => index > first && !line.startsWith('|'));
  return lines.slice(first + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
};

describe('docs/order-checks.md', () => {
  let pack: Pack;
  beforeAll(async () => {
    pack = await builtInPack();
  });

  it('has the rows of the pack and the words of the code in its tables', () => {
    for (const { heads, rows } of Object.values(rowsOf(pack))) expect(rowsUnder(heads[0] ?? '')).toEqual(rows);
  });

  it('says how much the pack holds', () => {
    const codes = pack.products.flatMap(({ rxcui }) => rxcui).length.toLocaleString('en');
    const own = pack.ingredients.filter(({ rxcui }) => rxcui).length;
    expect(page).toContain(
      `Edition \`${pack.edition}\`: ${pack.ingredients.length} ingredients, ${own} of them with RxNorm codes of their own, ${codes} codes of products, ${pack.classes.length} classes, ${pack.interactions.length} interactions, ${pack.allergies.length} rules of allergies, ${pack.duplicates.length} of duplicates, ${pack.pregnancy.length} of pregnancy, ${pack.renal.length} of kidneys.`,
    );
  });

  it('says which states count, and how long a statement holds', () => {
    const counted = new Map(rowsUnder('record').map(([record, counts, not]) => [record, { counts, not }]));
    for (const [type, states] of Object.entries(countedStates))
      for (const state of states) expect(counted.get(type)?.counts, type).toContain(`\`${state}\``);
    for (const intent of uncountedIntents) expect(counted.get('MedicationRequest')?.not).toContain(`\`${intent}\``);
    expect(page).toContain(
      `"pregnant" holds for ${holdsDays.pregnant} days (43 weeks), "not pregnant" for ${holdsDays.notPregnant}.`,
    );
    expect(page).toContain(`below ${possibleYears.from} or above ${possibleYears.to}`);
    expect(page).toContain(`the latest value of the last ${renalDays} days`);
    for (const code of Object.values(renalCodes).flat()) expect(page).toContain(code);
  });

  it('shows a pack that can be read, but for what it leaves open', () => {
    const [, shown = ''] = /\n {4}\{\n([\s\S]*?\n) {4}\}\n/.exec(page) ?? [];
    let open = 0;
    const filled =
      `{${shown.replaceAll('"ingredients": [', '"ingredients": [{ "id": "fluconazole", "name": "fluconazole" }, ')}}`.replaceAll(
        '"id": "…"',
        () => `"id": "open-${++open}"`,
      );
    expect(parsePack(filled).interactions.map(({ id }) => id)).toEqual(['our-warfarin-azoles']);
    expect(open).toBe(4);
  });
});
