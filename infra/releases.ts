import * as z from 'zod/mini';
import told from './releases.json' with { type: 'json' };

/** By kind of row (docs/store.md), the highest layout. Readers are never removed, so all lower ones are read too. */
type Highest = Readonly<Record<string, number>>;

/** What a release does with rows of the table. */
export interface LayoutsOfRelease {
  readonly reads: Highest;
  readonly writes: Highest;
}

const highest = z.record(z.string(), z.int().check(z.positive()));

/**
 * All releases, oldest first; the last one is under way. While one is deployed, its functions and those of the release before work on the same rows, so what one writes the one before it reads: a test holds
 * this list to the source, and `npm run deploy` compares it with what is deployed. Entries of releases that are out are never edited.
 */
export const releases: readonly (LayoutsOfRelease & { readonly release: string })[] = z
  .array(z.strictObject({ release: z.string().check(z.regex(/^\d+\.\d+\.\d+$/)), reads: highest, writes: highest }))
  .parse(told);

/** What one release writes and another could not read, in words. A kind of row that the reader does not know it never looks at. */
export const unreadBy = (
  { reads }: Pick<LayoutsOfRelease, 'reads'>,
  { writes }: Pick<LayoutsOfRelease, 'writes'>,
): readonly string[] =>
  Object.entries(writes).flatMap(([kind, written]) => {
    const read = reads[kind];
    return read !== undefined && written > read ? [`${kind} in layout ${written}, of which ${read} is read`] : [];
  });

/** Layouts as the text of a stack's output: `body=3 record=5`. */
export const layoutsText = (layouts: Highest): string =>
  Object.entries(layouts)
    .map(([kind, layout]) => `${kind}=${layout}`)
    .sort()
    .join(' ');

/** The same, from a text; undefined if there is none. */
export const layoutsIn = (text: string | undefined): Highest | undefined =>
  text === undefined
    ? undefined
    : Object.fromEntries(
        text.split(' ').map((each) => {
          const [kind = '', layout = ''] = each.split('=');
          return [kind, Number(layout)];
        }),
      );
