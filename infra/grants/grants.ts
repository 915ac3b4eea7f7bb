import type { Statement } from './statement.ts';

/** What the code of an entry may ask for; `Places` names the resources that it is about. Undefined for an entry of another stack. */
export type Grants<Places> = (entry: string, places: Places) => readonly Statement[] | undefined;

/** Grants listed by entry. */
export const listed =
  <Places>(list: Readonly<Record<string, (places: Places) => readonly Statement[]>>): Grants<Places> =>
  (entry, places) =>
    list[entry]?.(places);

/**
 * What the code of one entry may ask for.
 *
 * @throws Error for an entry that nothing is said of, so that what has no grants is not deployed.
 */
export const statementsFor = <Places>(
  grants: Grants<Places>,
  entry: string,
  places: NoInfer<Places>,
): readonly Statement[] => {
  const granted = grants(entry, places);
  if (!granted) throw new Error(`Nothing says what ${entry} may do`);
  return granted;
};
