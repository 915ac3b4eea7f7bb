import { directivesOf, openingsIn } from '../../access/chart-access.ts';
import type { Directive } from '../../access/directive.ts';
import { type Extent, extentOf, type Kind, labelsNamed } from '../../access/extent.ts';
import { actCode, part2Label } from '../../access/labels.ts';
import { payersDenied } from '../../access/payer-restriction.ts';
import { isOwnChart } from '../../access/question.ts';
import { Relations } from '../../access/relation.ts';
import { sensitiveCodes } from '../../access/sensitive-codes.ts';
import { typesOfPatients } from '../../record-types/homes.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import { type AccessRows, accessRowsOf } from '../../store/directives.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { named } from '../record-named.ts';
import { notFound, requireTypeAccess } from '../require-access.ts';
import { restrictionSentence, sentenceOf } from './in-words.ts';
import { explainConsentInput } from './input.ts';

/** Types of a chart, those of which nothing is ever shared as well. */
const types = [...typesOfPatients, 'Binary', 'Patient'].sort().map(factsOfType);
const shareable = types.filter(({ subject }) => subject !== 'consent' && subject !== 'audit');
const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';

/**
 * `Consent/$explain`: what is shared now of a patient's chart with those of an organisation who treat, in codes and in plain sentences. For the patient, by all that is filed in the
 * chart; for staff who read Consents at the organisation that keeps the patient, by its own Consents: those of others tell who else treats the patient.
 *
 * @throws RecordError `forbidden` by role or scope; `not-found` for a patient who is neither the caller nor kept by the caller's organisation; `invalid`.
 */
export const explainConsent: Interaction = async (context) => {
  requireTypeAccess(context, 'r');
  const { audit, store } = context;
  const input = readInput(context, explainConsentInput);
  const name = named(context, input.patient, 'patient', 'Patient');
  const reader = named(context, input.organization, 'organization', 'Organization');
  const ofPatient = { recordType: factsOfType('Patient') as RequestContext['recordType'] };
  const address = await locate(context, 'Patient', name.slice('Patient/'.length));
  if (!address) throw notFound(ofPatient);
  const { chart } = address;
  const { patient, rows } = await audit.traced(
    {
      interaction: 'operation',
      chart,
      what: [name],
      query: `Consent/$explain?patient=${name}&organization=${reader}`,
    },
    async () => {
      const [head, filed] = await Promise.all([context.sharing.read(address), accessRowsOf(store, chart)]);
      return { patient: head, rows: filed };
    },
    (found) => {
      if (!mayAsk(context, found.patient)) throw notFound(ofPatient);
    },
  );
  if (!mayAsk(context, patient)) throw notFound(ofPatient);
  const known = knownTo(context, patient.custodian, rows);
  const organization = reader.slice('Organization/'.length);
  const parameter = known.keepers.flatMap((keeper) =>
    keeper === organization ? [] : sharedBy(context, { organization, keeper }, known),
  );
  return {
    statusCode: 200,
    resource: {
      resourceType: 'Parameters',
      parameter: [
        { name: 'patient', valueReference: { reference: name } },
        { name: 'organization', valueReference: { reference: reader } },
        { name: 'asOf', valueInstant: new Date(context.now).toISOString() },
        ...parameter,
        ...restrictions(context, organization, known.directives),
        ...notes(context, known, patient.custodian).map((valueString) => ({ name: 'note', valueString })),
        ...(known.keepers.includes(organization)
          ? [
              {
                name: 'note',
                valueString: `${reader} sees what it keeps itself, as far as the roles of its staff allow.`,
              },
            ]
          : []),
      ],
    },
  };
};

/** Who acts for a patient is not told: it might tell of what is hidden from them. */
const mayAsk = ({ asking }: RequestContext, patient: StoredRecord | undefined): patient is StoredRecord =>
  patient?.resource !== undefined &&
  (isPatient(asking)
    ? isOwnChart(asking, patient.chart) && !asking.proxy
    : patient.custodian === asking.caller.organization);

const isPatient = ({ caller }: RequestContext['asking']): boolean => caller.organization === undefined;

interface KnownToAsker {
  /** Organisations that keep records in the chart, as far as it is known and told. */
  readonly keepers: readonly string[];
  readonly directives: readonly Directive[];
  readonly related: (organization: string, keeper: string) => Kind['related'];
  readonly linked: boolean;
  readonly tooMuch: boolean;
}

const knownTo = (
  { asking, policy, now }: RequestContext,
  custodian: string,
  filed: AccessRows | undefined,
): KnownToAsker => {
  // As in the decision: of what is too much to be read nothing is shared.
  const { doors, directives: own } = openingsIn(filed?.rows ?? []);
  const directives = filed ? directivesOf(filed) : [];
  const state = { linked: filed !== undefined && filed.linked.length > 0, tooMuch: filed === undefined };
  const byRelation = policy.sharing === 'treatment' && filed !== undefined;
  if (!isPatient(asking))
    return {
      ...state,
      keepers: [custodian],
      directives: directives.filter((directive) => directive.custodian === custodian),
      related: () => (byRelation ? 'perhaps' : 'no'),
    };
  const relations = new Relations(byRelation ? doors : [], policy, now);
  const keeping = doors.flatMap((door) =>
    door.kind === 'presence' ? [door.organization] : 'custodian' in door ? [door.custodian] : [],
  );
  return {
    ...state,
    keepers: [...new Set([custodian, ...own.map((directive) => directive.custodian), ...keeping])],
    directives,
    related: (organization, keeper) => (relations.areRelated(organization, keeper) ? 'yes' : 'no'),
  };
};

/** A parameter by label and extent. */
const sharedBy = (
  { now, policy, programmes }: RequestContext,
  between: Pick<Kind, 'organization' | 'keeper'>,
  { directives, related }: KnownToAsker,
): fhir4.ParametersParameter[] => {
  const { organization, keeper } = between;
  // All that a programme keeps is under the law of programmes.
  const ofKeeper = programmes.has(`Organization/${keeper}`) ? [part2Label] : [];
  const sensitive = new Set([
    `${confidentiality}|R`,
    `${confidentiality}|V`,
    part2Label,
    ...[...Object.keys(sensitiveCodes), ...Object.keys(policy.sensitiveCodes)].map((code) => `${actCode}|${code}`),
    ...labelsNamed(directives),
  ]);
  const rows = ofKeeper.length > 0 ? [...sensitive] : [undefined, ...sensitive];
  return rows.flatMap((label) => {
    const labels = [...new Set([...ofKeeper, ...(label === undefined ? [] : [label])])];
    const isRelated = related(organization, keeper);
    const byExtent = Map.groupBy(types, (type) =>
      extentOf(directives, { ...between, type, labels, related: isRelated, now }),
    );
    return (['all', 'some', 'none'] as const satisfies readonly Extent[]).flatMap((extent) => {
      const found = byExtent.get(extent) ?? [];
      if (found.length === 0) return [];
      const told = found.filter((type) => shareable.includes(type)).map((type) => type.name);
      const among = shareable.map((type) => type.name);
      const sentence = sentenceOf({
        organization: `Organization/${organization}`,
        keeper: `Organization/${keeper}`,
        label,
        extent,
        types: told,
        among,
      });
      const at = label?.lastIndexOf('|') ?? 0;
      return [
        {
          name: 'shared',
          part: [
            { name: 'extent', valueCode: extent },
            { name: 'keeper', valueReference: { reference: `Organization/${keeper}` } },
            ...(label === undefined
              ? []
              : [{ name: 'label', valueCoding: { system: label.slice(0, at), code: label.slice(at + 1) } }]),
            ...found.map((type) => ({ name: 'type', valueCode: type.name })),
            ...(told.length > 0 ? [{ name: 'sentence', valueString: sentence }] : []),
          ],
        },
      ];
    });
  });
};

/** What binds those who keep the chart: what the patient has paid for and keeps from the organisation as a payer. */
const restrictions = (
  { now }: RequestContext,
  organization: string,
  directives: readonly Directive[],
): fhir4.ParametersParameter[] => {
  const payer = `Organization/${organization}`;
  const keepers = directives.flatMap(({ custodian, rule }) =>
    custodian !== organization && payersDenied(rule, now).includes(payer) ? [custodian] : [],
  );
  return [...new Set(keepers)].map((keeper) => ({
    name: 'restricted',
    part: [
      { name: 'keeper', valueReference: { reference: `Organization/${keeper}` } },
      { name: 'sentence', valueString: restrictionSentence(payer, `Organization/${keeper}`) },
    ],
  }));
};

/** What holds for all of it. */
const notes = (
  { asking }: RequestContext,
  { linked, tooMuch }: Pick<KnownToAsker, 'linked' | 'tooMuch'>,
  custodian: string,
): string[] => [
  ...(linked
    ? [
        'The chart is merged with another one. What is closed there is closed here as well; what is shared there is not.',
      ]
    : []),
  ...(tooMuch ? ['The chart has more Consents than can be looked through, so nothing of it is shared.'] : []),
  ...(isPatient(asking) ? [] : [`Only what Organization/${custodian} keeps is told of, by its own Consents.`]),
  'This is what those see who treat the patient there, as far as their roles allow.',
  'Some means that it depends on what a record says, on who asks for it, or on a care relationship.',
  'Labels are those that a record bears, and what its codes say. All means records that bear no other sensitive label, and name no other patient.',
  'Consents, contracts, psychotherapy notes and the access log are never shared, nor what tells that somebody broke the glass.',
  'In an emergency somebody may break the glass and see more. That is recorded, and the patient is told.',
];
