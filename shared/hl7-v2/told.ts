/** When something was said, in the order that counts: by the time of the message, then by its control id. */
export interface Stamp {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly controlId: string;
}

/** What a message says of one element, or of one part of a list. */
export interface Cell {
  /** Element, such as `birthDate`, `deceased[x]`, `period.start`; of a list's part with it, such as `telecom#home`. */
  readonly slot: string;
  /** Undefined if it says that there is nothing. */
  readonly value: unknown;
}

/** What a message says of one record. */
export interface Told {
  readonly type: string;
  /** The identifier by which messages name it: it is the same record in all of them. */
  readonly key: { readonly system: string; readonly value: string };
  readonly cells: readonly Cell[];
  /** What a new record says besides, and is left to others from then on. */
  readonly initially: Readonly<Record<string, unknown>>;
}

type Elements = Readonly<Record<string, unknown>>;

/** Which part of a list an entry belongs to: a field tells of some parts of it, and leaves the others. */
export type Partition = (entry: unknown) => string;
export const partitions: Readonly<Record<string, Partition>> = {
  'Patient.identifier': (entry) => (entry as fhir4.Identifier).system ?? '',
  'Patient.telecom': (entry) => ((entry as fhir4.ContactPoint).use === 'work' ? 'work' : 'home'),
  'RelatedPerson.telecom': (entry) => ((entry as fhir4.ContactPoint).use === 'work' ? 'work' : 'home'),
  'Encounter.participant': (entry) => (entry as fhir4.EncounterParticipant).type?.[0]?.coding?.[0]?.code ?? '',
  'Appointment.participant': (entry) => (entry as fhir4.AppointmentParticipant).type?.[0]?.coding?.[0]?.code ?? '',
};

/** Where a record keeps when each of its elements was said. */
export const toldExtension = 'https://concord.example/fhir/StructureDefinition/hl7-v2-told';

const stampsIn = (resource: Elements): Map<string, Stamp> => {
  const extensions = ((resource['extension'] ?? []) as fhir4.Extension[]).filter(({ url }) => url === toldExtension);
  return new Map(
    extensions.flatMap(({ extension = [] }) => {
      const value = (url: string) => extension.find((each) => each.url === url);
      const stamp = { at: Date.parse(value('at')?.valueInstant ?? ''), controlId: value('message')?.valueString ?? '' };
      return extension.flatMap(({ url, valueString }): [string, Stamp][] =>
        url === 'element' && valueString !== undefined ? [[valueString, stamp]] : [],
      );
    }),
  );
};

const stampText = ({ at, controlId }: Stamp): string => `${new Date(at).toISOString()} ${controlId}`;

const stampsAsExtensions = (stamps: ReadonlyMap<string, Stamp>): fhir4.Extension[] =>
  [...Map.groupBy([...stamps].sort(), ([, stamp]) => stampText(stamp))].sort().map(([, group]) => ({
    url: toldExtension,
    extension: [
      { url: 'at', valueInstant: new Date(group[0]?.[1].at ?? 0).toISOString() },
      { url: 'message', valueString: group[0]?.[1].controlId ?? '' },
      ...group.map(([slot]) => ({ url: 'element', valueString: slot })),
    ],
  }));

const isLater = (one: Stamp, other: Stamp): boolean =>
  one.at !== other.at ? one.at > other.at : one.controlId > other.controlId;

/** What comes of a record when a message tells of it. */
export interface Merged {
  readonly resource: Elements;
  /** Whether anything is to be written. */
  readonly changed: boolean;
  /** Elements of which a later message has told already, so that this one says nothing new. */
  readonly overtaken: readonly string[];
}

/**
 * A record as it is once a message has told of it: each element says what the latest message says that mentions it. So messages may come in any order, and any number of times, and the record is
 * the same in the end. What no message speaks of stays as it is.
 *
 * @param current - undefined for a new record.
 */
export const withTold = (current: Elements | undefined, told: Told, stamp: Stamp): Merged => {
  const before = current ?? { resourceType: told.type, ...told.initially };
  const stamps = stampsIn(before);
  const overtaken: string[] = [];
  let resource = before;
  let changed = current === undefined;
  for (const { slot, value } of told.cells) {
    const last = stamps.get(slot);
    if (last && !isLater(stamp, last)) {
      if (isLater(last, stamp)) overtaken.push(slot);
      continue;
    }
    resource = withSlot(resource, told.type, slot, value);
    stamps.set(slot, stamp);
    changed = true;
  }
  if (!changed) return { resource: before, changed, overtaken };
  const others = ((resource['extension'] ?? []) as fhir4.Extension[]).filter(({ url }) => url !== toldExtension);
  return { resource: { ...resource, extension: [...others, ...stampsAsExtensions(stamps)] }, changed, overtaken };
};

/** A record of which nothing is kept but what is said of it now. */
export const saying = (type: string, cells: readonly Cell[], besides: Elements = {}): Elements =>
  cells.reduce<Elements>((said, { slot, value }) => withSlot(said, type, slot, value), {
    resourceType: type,
    ...besides,
  });

const withSlot = (resource: Elements, type: string, slot: string, value: unknown): Elements => {
  const [path, part] = split(slot, '#');
  if (part !== undefined) {
    const partition = partitions[`${type}.${path}`];
    if (!partition) throw new Error(`${type}.${path} has no parts`);
    const others = ((resource[path] ?? []) as unknown[]).filter((entry) => partition(entry) !== part);
    // In the order of their parts, whatever came first.
    const entries = [...others, ...((value ?? []) as unknown[])];
    const sorted = entries
      .map((entry, index) => ({ entry, index, of: partition(entry) }))
      .sort((a, b) => (a.of === b.of ? a.index - b.index : a.of < b.of ? -1 : 1));
    return withElement(
      resource,
      path,
      sorted.map(({ entry }) => entry),
    );
  }
  if (path.endsWith('[x]')) {
    const name = path.slice(0, -'[x]'.length);
    const rest = Object.fromEntries(
      Object.entries(resource).filter(([element]) => !new RegExp(`^_?${name}[A-Z]`).test(element)),
    );
    return { ...rest, ...((value ?? {}) as Elements) };
  }
  const [outer, inner] = split(path, '.');
  if (inner === undefined) return withElement(resource, outer, value);
  return withElement(resource, outer, withElement((resource[outer] ?? {}) as Elements, inner, value));
};

/** What is empty is not there. */
const withElement = (resource: Elements, element: string, value: unknown): Elements => {
  const { [element]: _was, ...rest } = resource;
  const isEmpty =
    value === undefined ||
    (Array.isArray(value) && value.length === 0) ||
    (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  return isEmpty ? rest : { ...rest, [element]: value };
};

const split = (text: string, separator: string): [string, string?] => {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
};
