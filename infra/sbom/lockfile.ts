/** A package as package-lock.json has it. https://docs.npmjs.com/cli/configuring-npm/package-lock-json */
export interface LockedPackage {
  readonly name?: string;
  readonly version?: string;
  /** Such as `sha512-…`, in base64. */
  readonly integrity?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** By place, such as `node_modules/zod`; the project itself is at ``. */
export type Locked = Readonly<Record<string, LockedPackage>>;

/** Where a package at a place finds another one, as Node looks for it; undefined if that is not installed, like a peer that is optional. */
export const placeOfDependency = (locked: Locked, from: string, name: string): string | undefined => {
  const place = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (locked[place]) return place;
  if (from === '') return undefined;
  const above = from.lastIndexOf('/node_modules/');
  return placeOfDependency(locked, above < 0 ? '' : from.slice(0, above), name);
};

/** The places of what a package asks for itself. */
export const dependenciesOf = (locked: Locked, place: string): string[] => {
  const { dependencies, optionalDependencies, peerDependencies } = locked[place] ?? {};
  return Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }).flatMap(
    (name) => placeOfDependency(locked, place, name) ?? [],
  );
};

/**
 * The places of all that the functions may be made of: what the project depends on, and what that depends on. `npm sbom --omit=dev` leaves out what tools depend on, too, such
 * as most of AWS's SDK.
 */
export const productionPlaces = (locked: Locked): ReadonlySet<string> => {
  const places = new Set<string>();
  const add = (place: string | undefined): void => {
    if (place === undefined || places.has(place)) return;
    places.add(place);
    for (const next of dependenciesOf(locked, place)) add(next);
  };
  for (const name of Object.keys(locked['']?.dependencies ?? {})) add(placeOfDependency(locked, '', name));
  return places;
};

/** The name of the package at a place, as it was published: an override installs one under the name of another. */
export const nameAt = (locked: Locked, place: string): string =>
  locked[place]?.name ?? place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);

/**
 * The licence of a package, as SPDX writes it. A package for one platform has that of the package that asks for it where its own lock entry does not say.
 *
 * @returns undefined where nobody says.
 */
export const licenceOf = (locked: Locked, place: string): string | undefined => {
  const own = locked[place]?.license;
  if (own !== undefined) return own;
  const name = nameAt(locked, place);
  return Object.values(locked).find(({ optionalDependencies }) => optionalDependencies?.[name] !== undefined)?.license;
};
