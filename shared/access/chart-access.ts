import { type DirectiveRow, directiveLayouts } from '../store/directive-rows.ts';
import type { AccessRows } from '../store/directives.ts';
import { type DoorRow, doorLayouts } from '../store/door-rows.ts';
import { referralKey, visitKey } from '../store/keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Caller } from './caller.ts';
import { type DerivedLabels, derivedLabels } from './derived-labels.ts';
import type { Directive } from './directive.ts';
import type { Policy } from './policy.ts';
import type { Basis, Sharing } from './question.ts';
import { guestsIn, Relations } from './relation.ts';

/** What one caller may do with what others keep in a chart. */
export interface ChartAccess {
  /** Undefined if nothing is shared. */
  readonly sharing: Sharing | undefined;
  /** By which rights records were shared so far. */
  readonly used: ReadonlySet<Basis>;
  /** Whether the caller has broken the glass of the chart, and the time for that is not over. */
  readonly granted: boolean;
  /** Whether the caller's organisation has a care relationship as to what this custodian keeps. */
  readonly isRelated: (custodian: string) => boolean;
  /** Whether the caller's organisation and others keep records there. */
  readonly mixed: boolean;
  /** Organisations that are known to keep records there, without those that keep nothing but what no row tells of. */
  readonly organizations: readonly string[];
  /** Names of the network's substance-use programmes, and of the visits to them that are told of in the chart. */
  readonly programmes: ReadonlySet<string>;
  /** Charts that are linked with it. */
  readonly linked: ReadonlySet<string>;
  /** Whether what this record says of a visit is, or was once, written by somebody who had broken the glass. */
  readonly isOfEmergency: (record: StoredRecord) => boolean;
  /** Whether the caller may refer to this record of the chart, which is not shared perhaps. */
  readonly mayReferTo: (record: StoredRecord, mayRead: boolean) => boolean;
}

const isDoor = (row: DirectiveRow | DoorRow): row is DoorRow => 'door' in row;
const isDirective = (row: DirectiveRow | DoorRow): row is DirectiveRow => 'rule' in row;

/** A Consent that an organisation keeps in a chart of another one closes and opens what it keeps itself: it came by a referral or an emergency. */
const withinReach = (directive: Directive, guests: ReadonlySet<string>): Directive => {
  const { custodian, rule } = directive;
  return guests.has(custodian)
    ? { custodian, rule: { custodians: [`Organization/${custodian}`], rules: [rule] } }
    : directive;
};

/** What holds in a chart: what opens and closes it, and what closes those that are linked with it. */
export const directivesOf = ({ rows, linked }: AccessRows): readonly Directive[] => [
  ...openingsIn(rows).directives,
  ...linked.flatMap((each) =>
    openingsIn(each.rows).directives.map((directive): Directive => ({ ...directive, closes: true })),
  ),
];

/** What the rows of a chart say. */
export const openingsIn = (rows: AccessRows['rows']) => {
  const doors = rows.filter(isDoor).map((row) => ({ ...doorLayouts.reader(row.layout)(row), sk: row.sk }));
  const guests = guestsIn(doors);
  return {
    doors,
    directives: rows.filter(isDirective).map((row) => withinReach(directiveLayouts.reader(row.layout)(row), guests)),
  };
};

/** Organisations that what opens and closes a chart tells of as keeping records there. */
export const keepersIn = ({
  doors,
  directives,
}: Pick<ReturnType<typeof openingsIn>, 'doors' | 'directives'>): string[] => [
  ...new Set([
    ...directives.map(({ custodian }) => custodian),
    ...doors.flatMap((door) => {
      if (door.kind === 'presence') return [door.organization];
      return door.kind === 'referral' || door.kind === 'visit' ? [door.custodian] : [];
    }),
  ]),
];

/** What Consents and care relationships share. */
type SharingOf = (
  directives: readonly Directive[],
  now: number,
  by: {
    readonly related?: ((custodian: string) => boolean) | undefined;
    readonly granted?: boolean;
    readonly derived?: DerivedLabels;
  },
) => Sharing | undefined;

/** What else is known where a chart is shared. */
export interface Known {
  readonly policy: Policy;
  /** `Type/id` of substance-use programmes. */
  readonly programmes: ReadonlySet<string>;
  /** In milliseconds since 1970. */
  readonly now: number;
}

/**
 * What a caller of an organisation may do with what others keep in a chart.
 *
 * @param rows - of the chart, as the store has them.
 */
export const chartAccessBy =
  (sharingOf: SharingOf) =>
  (
    filed: AccessRows,
    { organization = '', subject }: Caller,
    { policy, programmes: network, now }: Known,
  ): ChartAccess => {
    const { linked } = filed;
    const { doors, directives } = openingsIn(filed.rows);
    const everywhere = [...doors, ...linked.flatMap((each) => openingsIn(each.rows).doors)];
    const programmes = new Set([
      ...network,
      ...everywhere.flatMap((door) => (door.kind === 'programme-visit' ? [door.visit] : [])),
    ]);
    const relations = new Relations(policy.sharing === 'treatment' ? doors : [], policy, now);
    const related = (keeper: string) => relations.areRelated(organization, keeper);
    const granted = doors.some(
      (door) =>
        door.kind === 'grant' &&
        door.subject === subject &&
        door.organization === organization &&
        now >= door.from &&
        now < door.until,
    );
    const shares = sharingOf(directivesOf(filed), now, {
      related: relations.isOf(organization) ? related : undefined,
      granted,
      derived: derivedLabels(policy, programmes),
    });
    const mixes = doors.filter((door) => door.kind === 'presence' || door.kind === 'grant');
    const used = new Set<Basis>();
    return {
      used,
      programmes,
      linked: new Set(linked.map(({ chart }) => chart)),
      sharing:
        shares &&
        ((...asked) => {
          const basis = shares(...asked);
          if (basis) used.add(basis);
          return basis;
        }),
      granted,
      isRelated: related,
      mixed: mixes.some((door) => door.organization === organization || door.keeper === organization),
      organizations: keepersIn({ doors, directives }),
      isOfEmergency: (record) =>
        granted ||
        doors.some((door) => door.kind === 'visit' && door.emergency === true && door.sk === visitKey(record).sk),
      // Who was referred, and by what, is known already. Whatever else is referred to has to be seen, by more than a Consent to that.
      mayReferTo: (record, mayRead) =>
        (record.type === 'Patient' && relations.isReferred(organization, record.custodian)) ||
        relations.isReferral(organization, referralKey(record).sk) ||
        (mayRead && (granted || related(record.custodian))),
    };
  };
