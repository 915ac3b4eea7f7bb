import type { Pack } from './knowledge.ts';
import { addedTo, PackError, parsePack } from './parse-pack.ts';

/**
 * The pack of a deployment: by itself, or with what it adds to the one that Concord brings along, if it says so. It names the edition that it was written for, so that after a change of that one somebody
 * looks at it again.
 *
 * @param content - JSON, as docs/order-checks.md describes it.
 * @throws PackError with all that is wrong.
 */
export const ownPack = (content: string, builtIn: Pack): Pack => {
  const addsTo = addedToBy(content);
  if (addsTo === undefined) return parsePack(content);
  if (addsTo !== builtIn.edition)
    throw new PackError([`addsTo: it is for the edition ${JSON.stringify(addsTo)}, and there is ${builtIn.edition}`]);
  return addedTo(builtIn, parsePack(content, builtIn));
};

const addedToBy = (content: string): unknown => {
  try {
    return (JSON.parse(content) as { addsTo?: unknown } | null)?.addsTo;
  } catch {
    return undefined; // what is no JSON is refused by its name
  }
};
