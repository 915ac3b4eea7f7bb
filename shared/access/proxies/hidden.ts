import { addressesIn } from '../../fhir/addresses.ts';
import type { Resource } from '../../fhir/resource.ts';
import { typesOfPatients } from '../../record-types/homes.ts';
import type { Proxy, RecordFacts } from '../question.ts';
import { isAbout, type Matter } from './confidential.ts';

/** A record of a chart, as far as it tells what it is about. */
type Looked = Pick<RecordFacts, 'id' | 'labels' | 'resource'> & { readonly type: string };

/** Names, `Type/id`, of the records of a chart. */
interface Chart {
  readonly hidden: ReadonlySet<string>;
  readonly all: ReadonlySet<string>;
}

/** Finds what is kept of a chart: what is about these matters, what refers to that, and so on. Pure. */
export const lookThrough = (pages: readonly (readonly Looked[])[], matters: ReadonlySet<Matter>): Chart => {
  const all = new Set<string>();
  const contents = new Map<string, readonly string[]>();
  const hidden = new Set<string>();
  const referring = new Map<string, string[]>();
  const found: string[] = [];
  const hide = (name: string) => {
    if (hidden.has(name)) return;
    hidden.add(name);
    found.push(name);
  };
  for (const record of pages.flat()) {
    const name = `${record.type}/${record.id}`;
    const named = namedIn(record.type, record.resource);
    all.add(name);
    for (const other of named) {
      const names = referring.get(other);
      if (names) names.push(name);
      else referring.set(other, [name]);
    }
    contents.set(
      name,
      named.filter((other) => other.startsWith('Binary/')),
    );
    if (isAbout(matters, record)) hide(name);
  }
  for (let name = found.pop(); name !== undefined; name = found.pop()) {
    for (const other of referring.get(name) ?? []) hide(other);
    // What a document says stands in a Binary of its own, which says nothing of itself.
    for (const other of contents.get(name) ?? []) hide(other);
  }
  return { hidden, all };
};

/** All that a record refers to. Who the patient is stays known, whatever a Patient refers to. */
const namedIn = (type: string, resource: Resource | undefined): string[] =>
  type === 'Patient' ? [] : addressesIn(resource).map(({ name }) => name);

/**
 * Keeps these matters from somebody: hidden records, whatever is about them or refers to them, though written or changed since, and what is deleted, for nothing
 * tells any more what it was about. Pure.
 */
export const concealing = (
  matters: ReadonlySet<Matter>,
  { hidden, all }: Chart,
): Pick<Proxy, 'conceals' | 'hides' | 'hidesName'> => ({
  conceals: true,
  hides: (type, { id, labels, resource }) =>
    resource === undefined ||
    hidden.has(`${type}/${id}`) ||
    isAbout(matters, { labels, resource }) ||
    namedIn(type, resource).some((name) => hidden.has(name)),
  hidesName: (name) => hidden.has(name) || (mayBeOfPatient(name) && !all.has(name)),
});

const mayBeOfPatient = (name: string): boolean => {
  const type = name.slice(0, name.indexOf('/'));
  return type === 'Patient' || typesOfPatients.has(type);
};
