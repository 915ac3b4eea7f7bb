import { foldText } from '../search/fold.ts';
import { nicknameGroups } from './nickname-groups.ts';

const groupsByName: ReadonlyMap<string, ReadonlySet<number>> = (() => {
  const found = new Map<string, Set<number>>();
  for (const [index, line] of nicknameGroups.trim().split('\n').entries()) {
    for (const name of line.split(' ')) found.set(name, (found.get(name) ?? new Set()).add(index));
  }
  return found;
})();

/** Whether one name is what people who bear the other are called, or both are short for the same. */
export const areNicknames = (a: string, b: string): boolean => {
  const others = groupsByName.get(foldText(b));
  return [...(groupsByName.get(foldText(a)) ?? [])].some((group) => others?.has(group));
};
