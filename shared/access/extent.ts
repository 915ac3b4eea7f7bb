import type { Caller, Role } from './caller.ts';
import { type Asked, deny, isOfTreatment, outcomesOf, permit } from './consent-outcomes.ts';
import type { Directive, Rule } from './directive.ts';
import { unclear } from './directive.ts';
import { isHarmless, isPsychotherapyNote } from './labels.ts';
import type { TypeFacts } from './question.ts';

/** How much of what is asked about is shared. Stable: `Consent/$explain` tells it. */
export type Extent = 'all' | 'some' | 'none';

/** What is asked about: whatever one organisation keeps of a type, with these labels. */
export interface Kind {
  /** The organisation that asks for it, in treating the patient. */
  readonly organization: string;
  /** Who asks there: somebody who treats, if absent. */
  readonly roles?: readonly Role[];
  readonly keeper: string;
  readonly type: TypeFacts;
  /** `system|code` of sensitive labels, by whatever they are borne: harmless ones make no difference. */
  readonly labels: readonly string[];
  /** Whether the two organisations have a care relationship that counts. */
  readonly related: 'yes' | 'perhaps' | 'no';
  /** In milliseconds since 1970. */
  readonly now: number;
}

/** Records of which it depends on another record whether they are shared. */
const dependent: ReadonlySet<string> = new Set(['Binary', 'Provenance']);

/**
 * How much is shared of a kind of records: the decision itself (`sharing.lazy.ts`), about a record of which nothing else is known. Pure.
 *
 * @returns `all` if each record is shared that bears these labels and no other sensitive one; `none` if no record is that bears them, whatever else it bears; else `some`, which
 *   says that it depends on the record, or on who asks.
 */
export const extentOf = (directives: readonly Directive[], kind: Kind): Extent => {
  const { keeper, type, labels, related } = kind;
  if (!isOfTreatment(type.subject) || labels.some(isPsychotherapyNote)) return 'none';
  const isUnlabelled = labels.every(isHarmless);
  const outcomes = (imagined: Asked['imagined'] & string) => {
    const asked = imaginedRecord(kind, imagined);
    return directives.map(({ custodian, rule, closes }) => ({
      own: custodian === keeper && !closes,
      each: outcomesOf(rule, asked, []),
    }));
  };
  const alone = outcomes('alone');
  const whatever = isUnlabelled ? alone : outcomes('among');
  const mayOpen = whatever.some(({ own, each }) => own && (each & permit) !== 0) || (isUnlabelled && related !== 'no');
  if (!mayOpen || whatever.some(({ each }) => each === deny)) return 'none';
  const opens = alone.some(({ own, each }) => own && each === permit) || (isUnlabelled && related === 'yes');
  const isOpen = opens && alone.every(({ each }) => (each & deny) === 0);
  return isOpen && !dependent.has(type.name) ? 'all' : 'some';
};

const imaginedRecord = (
  { organization, roles = ['physician'], keeper, type, labels, now }: Kind,
  imagined: Asked['imagined'] & string,
): Asked => {
  const caller: Caller = {
    subject: '',
    name: '',
    client: '',
    organization,
    roles,
    scopes: [],
    fhirUser: '',
    patient: undefined,
  };
  const record = { custodian: keeper, chart: '', id: '', labels, resource: undefined };
  return { caller, now, type: type.name, record, imagined };
};

/** The sensitive labels that Consents name. */
export const labelsNamed = (directives: readonly Directive[]): string[] => {
  const namedIn = ({ labels = [], rules = [] }: Rule): string[] => [...labels, ...rules.flatMap(namedIn)];
  const all = new Set(directives.flatMap(({ rule }) => namedIn(rule)));
  return [...all].filter((label) => label !== unclear && !isHarmless(label) && !isPsychotherapyNote(label));
};
