import { describe, expect, it } from 'vitest';
import { heldDefinitions } from '../../infra/generate/terminology.ts';
import { expansionOf, type Member } from '../../shared/terminology/expansion.ts';
import { TerminologyGap } from '../../shared/terminology/gap.ts';
import { heldTerminology } from '../../shared/terminology/held.ts';
import { membersOf } from '../../shared/terminology/members.ts';
import { anyCode, naiveExpansion } from '../support/naive-terminology.ts';

const held = await heldTerminology();
const urls = heldDefinitions().valueSets.map(({ url = '' }) => url);

const expansionOrGap = (url: string): readonly Member[] | TerminologyGap => {
  const valueSet = held.valueSet(url);
  if (!valueSet) throw new Error(`${url} is not held`);
  try {
    return expansionOf(valueSet, held);
  } catch (error) {
    if (error instanceof TerminologyGap) return error;
    throw error;
  }
};

const nameOf = ({ system, code }: Member): string => `${system}|${code}`;

describe("the expansion of each of R4's own value sets", () => {
  it('has the codes that the definitions say, each once, or says that it cannot be made', () => {
    const disagreeing: string[] = [];
    let [codes, gaps] = [0, 0];
    for (const url of urls) {
      const expected = naiveExpansion(url);
      const all = expected && [...expected].some((each) => each.endsWith(`|${anyCode}`));
      const expansion = expansionOrGap(url);
      if (expansion instanceof TerminologyGap) {
        gaps++;
        if (expected && !all) disagreeing.push(`${url}: ${expansion.message}`);
        continue;
      }
      const names = expansion.map(nameOf);
      codes += names.length;
      if (new Set(names).size < names.length) disagreeing.push(`${url}: a code comes twice`);
      if (all || JSON.stringify(names.toSorted()) !== JSON.stringify([...(expected ?? [])].sort()))
        disagreeing.push(`${url}: other codes`);
    }

    expect(disagreeing).toEqual([]);
    expect(codes).toBeGreaterThan(20_000);
    expect(gaps).toBeGreaterThan(40);
    expect(gaps).toBeLessThan(120);
  });

  it('has what is a member, and nothing else', () => {
    const disagreeing: string[] = [];
    for (const url of urls) {
      const [expansion, valueSet] = [expansionOrGap(url), held.valueSet(url)];
      if (expansion instanceof TerminologyGap || !valueSet) continue;
      const members = membersOf(valueSet, held);
      const names = new Set(expansion.map(nameOf));
      const others = [...members.systems].flatMap((system) =>
        [...(held.codeSystem(system)?.concepts.keys() ?? [])].filter(
          (code) => members.has(system, code) && !names.has(`${system}|${code}`),
        ),
      );
      const foreign = expansion.filter(({ system, code }) => !members.certain(system, code)).map(nameOf);
      disagreeing.push(...[...others, ...foreign].map((each) => `${url}: ${each}`));
    }

    expect(disagreeing).toEqual([]);
  });
});
