import { withSpellingOf } from '../fhir/json.ts';
import { changed, namesIn } from '../fhir/masks.ts';
import type { Resource } from '../fhir/resource.ts';
import { signaturesOf } from '../signing/signature.ts';

// The copy of a record that was in the wrong chart says what its author has said, and nothing of whose chart that was.

/** What may be taken out of a chart and put into another one. Bookings are cancelled and made anew; who may see what, and what was paid, was said by that patient. */
const refiledSubjects: ReadonlySet<string> = new Set(['clinical', 'order', 'dispensing', 'laboratory']);
const never: ReadonlySet<string> = new Set(['Binary', 'Group', 'QuestionnaireResponse']);
/** Says something of a record, and nothing without it: sealed with it, and never copied. */
const remarks: ReadonlySet<string> = new Set(['Provenance', 'DetectedIssue', 'Task']);

/** What becomes of records of a type that were in the wrong chart; undefined for those that stay where they are. */
export const refiledAs = ({
  name,
  subject,
}: {
  readonly name: string;
  readonly subject: string;
}): 'copy' | 'remark' | undefined => {
  if (remarks.has(name)) return 'remark';
  return refiledSubjects.has(subject) && !never.has(name) ? 'copy' : undefined;
};

/** Elements by which a record consists of others: without these it is another record. */
const parts =
  /^(?:DiagnosticReport\.(?:result|media)|Observation\.hasMember|Composition\.section|CarePlan\.activity)\b/;

/** Whether an element, by its FHIRPath expression, names a part of its record. */
export const isPart = (expression: string): boolean => parts.test(expression);

/** Says that a reference is left out, because what it named is another patient's. https://hl7.org/fhir/R4/extension-data-absent-reason.html */
const notApplicable = {
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'not-applicable' }],
};

/** What stands for a name, `Type/id`, of the wrong chart: another name, `left-out`, or undefined for one that stays. */
export type Standing = (name: string) => string | undefined;

/** Whether a number is one by which the wrong patient is known. */
export type IsTheirs = (number: fhir4.Identifier) => boolean;

/** Without references that name a person by a number alone: of the wrong patient, or of whom nobody can tell. */
const withoutNumbers = <T>(value: T, isTheirs: IsTheirs): T => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => withoutNumbers(item, isTheirs)) as T;
  const { reference, identifier, type, resourceType } = value as fhir4.Reference & { readonly resourceType?: string };
  const isNumber = reference === undefined && typeof identifier === 'object' && !Array.isArray(identifier);
  if (
    isNumber &&
    resourceType === undefined &&
    (type === 'Patient' || type === 'RelatedPerson' || isTheirs(identifier))
  )
    return notApplicable as T;
  const members = Object.entries(value).map(([name, member]) => [name, withoutNumbers(member, isTheirs)]);
  return withSpellingOf(Object.fromEntries(members), value) as T;
};

/**
 * A record without its id and without what the server has said of it: it names the right patient, what was refiled with it by its new name, and nothing of the wrong chart. What
 * was signed was signed of somebody else, so it is to be signed anew.
 *
 * @param standing - by which name a record is called from now on.
 */
export const copyOf = (resource: Resource, standing: Standing, isTheirs: IsTheirs): Resource => {
  const renamed = changed(withoutNumbers(resource, isTheirs), (holder) => {
    if (typeof holder.reference !== 'string') return undefined;
    const [name] = namesIn({ reference: holder.reference });
    const other = name === undefined ? undefined : standing(name);
    if (other === undefined) return undefined;
    // Name and number of the patient may stand beside the reference.
    return other === 'left-out' ? notApplicable : { reference: other };
  });
  const { id: _id, meta, text, ...content } = renamed as unknown as fhir4.DomainResource & Record<string, unknown>;
  const { profile, security, source } = meta ?? {};
  const kept = {
    ...(profile ? { profile } : {}),
    ...(security ? { security } : {}),
    ...(source === undefined ? {} : { source }),
  };
  const copy = {
    ...content,
    ...(Object.keys(kept).length > 0 ? { meta: kept } : {}),
    // A narrative that repeats the data may name whose they were.
    ...(text && text.status === 'additional' ? { text } : {}),
  };
  return unsigned(withSpellingOf(copy as unknown as Resource, renamed), signaturesOf(resource).length > 0);
};

/** The state of a copy: what somebody has signed is to be signed again, and an order comes into force in no chart by being moved. */
const unsigned = (copy: Resource, wasSigned: boolean): Resource => {
  const saying = (elements: object, without: readonly string[] = []): Resource =>
    withSpellingOf(
      {
        ...Object.fromEntries(Object.entries(copy).filter(([name]) => !without.includes(name))),
        ...elements,
      } as Resource,
      copy,
    );
  if (copy.resourceType === 'MedicationRequest' || copy.resourceType === 'ServiceRequest')
    return copy['status'] === 'active' || copy['status'] === 'on-hold' ? saying({ status: 'draft' }) : copy;
  if (!wasSigned) return copy;
  switch (copy.resourceType) {
    case 'Composition':
      return saying({ status: 'preliminary' }, ['attester']);
    case 'DocumentReference':
      return saying({ docStatus: 'preliminary' }, ['authenticator']);
    case 'DiagnosticReport':
      return saying({ status: 'preliminary' });
    default:
      return copy;
  }
};
