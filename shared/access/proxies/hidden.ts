import { addressesIn } from '../../fhir/addresses.ts';
import type { Resource } from '../../fhir/resource.ts';
import { withoutConfidential } from '../../people/contact.ts';
import { typesOfPatients } from '../../record-types/homes.ts';
import type { DerivedLabels } from '../derived-labels.ts';
import type { Proxy, RecordFacts } from '../question.ts';
import { isAbout, type Matter } from './confidential.ts';

/** A record of a chart, as far as it tells what it is about. */
type Looked = Pick<RecordFacts, 'custodian' | 'id' | 'labels' | 'resource'> & { readonly type: string };

/** What is kept from somebody, and what labels a record comes to beside its own. */
interface Kept {
  readonly matters: ReadonlySet<Matter>;
  readonly derived: DerivedLabels;
}

const isKept = ({ matters, derived }: Kept, { labels, resource, custodian }: Omit<Looked, 'type' | 'id'>): boolean =>
  isAbout(matters, { labels: [...labels, ...derived(resource, custodian)], resource });

/** Names, `Type/id`, of the records of a chart. */
interface Chart {
  readonly hidden: ReadonlySet<string>;
  readonly all: ReadonlySet<string>;
  /** Binaries that a record names which is not hidden. */
  readonly contents: ReadonlySet<string>;
}

/** Finds what is kept of a chart: what is about these matters, what refers to that or is a part of it, and so on. Pure. */
export const lookThrough = (pages: readonly (readonly Looked[])[], kept: Kept): Chart => {
  const all = new Set<string>();
  const parts = new Map<string, readonly string[]>();
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
    parts.set(name, partsOf(record.resource));
    if (isKept(kept, record)) hide(name);
  }
  for (let name = found.pop(); name !== undefined; name = found.pop()) {
    for (const other of referring.get(name) ?? []) hide(other);
    for (const other of parts.get(name) ?? []) hide(other);
  }
  const shown = [...parts].filter(([name]) => !hidden.has(name)).flatMap(([, names]) => names.filter(isBinary));
  return { hidden, all, contents: new Set(shown.filter((name) => !hidden.has(name))) };
};

const isBinary = (name: string): boolean => name.startsWith('Binary/');

/**
 * What a record consists of that stands in records of their own, which may say nothing of what they are a part of: a document's Binaries, a report's results,
 * a panel's members.
 */
const partsOf = (resource: Resource | undefined): string[] => [
  ...addressesIn(resource).flatMap(({ name }) => (isBinary(name) ? [name] : [])),
  ...(resource?.resourceType === 'DiagnosticReport' ? addressesIn(resource.result) : []).map(({ name }) => name),
  ...(resource?.resourceType === 'Observation' ? addressesIn(resource.hasMember) : []).map(({ name }) => name),
];

/** All that a record refers to. Who the patient is stays known, whatever a Patient refers to. */
const namedIn = (type: string, resource: Resource | undefined): string[] =>
  type === 'Patient' ? [] : addressesIn(resource).map(({ name }) => name);

/**
 * Keeps these matters from somebody: hidden records, whatever is about them or refers to them, though written or changed since, and what is deleted, for nothing
 * tells any more what it was about. Nor does anything of a Binary that no record names any more, so that is kept, and nobody opens it by a record that names it. Pure.
 */
export const concealing = (kept: Kept, { hidden, all, contents }: Chart): Omit<Proxy, 'basis' | 'mayAct'> => {
  const isHidden = (name: string) => hidden.has(name) || (isBinary(name) && !contents.has(name));
  return {
    conceals: true,
    hides: (type, record) =>
      record.resource === undefined ||
      isHidden(`${type}/${record.id}`) ||
      isKept(kept, record) ||
      namedIn(type, record.resource).some(isHidden),
    shows: withoutConfidential,
    hidesName: (name) => isHidden(name) || (mayBeOfPatient(name) && !all.has(name)),
  };
};

const mayBeOfPatient = (name: string): boolean => {
  const type = name.slice(0, name.indexOf('/'));
  return type === 'Patient' || typesOfPatients.has(type);
};
