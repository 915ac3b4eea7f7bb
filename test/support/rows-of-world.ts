import { compileConsent } from '../../shared/access/compile-consent.ts';
import type { Directive } from '../../shared/access/directive.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import type { DirectiveRow } from '../../shared/store/directive-rows.ts';
import { type DoorRow, doorRow, visitChanges } from '../../shared/store/door-rows.ts';
import { grantKey, presenceKey } from '../../shared/store/keys.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import type { ModelConsent, ModelGrant } from './access-model/consents.ts';
import { type ModelStep, modelKeeper } from './access-model/relations.ts';

// The rows that a world of the access model comes to in a chart.

export const baseUrl = 'https://concord.test/fhir';

const directivesOf = (given: readonly ModelConsent[]): Directive[] =>
  given.flatMap(({ custodian, consent }) => {
    const rule = compileConsent(consent, baseUrl);
    // As it is stored and read again.
    return rule ? [{ custodian, rule: JSON.parse(JSON.stringify(rule)) as typeof rule }] : [];
  });

/** What was said and done in a chart. */
export interface ChartOfWorld {
  readonly given: readonly ModelConsent[];
  readonly done: readonly ModelStep[];
  readonly opened: readonly ModelGrant[];
}

/** Of the chart that is called `chart`. */
export const rowsIn = ({ given, done, opened }: ChartOfWorld) => [
  ...directivesOf(given).map(rowOf),
  ...done.flatMap(doorRowsOf),
  ...opened.map(grantRowOf),
  ...presencesOf([...given, ...done]),
];

const rowOf = ({ custodian, rule }: Directive, index: number): DirectiveRow => ({
  pk: 'C#chart',
  sk: `!access#${index}`,
  layout: 1,
  version: 1,
  custodian,
  rule: JSON.stringify(rule),
});

const grantRowOf = ({ to, ...grant }: ModelGrant, index: number): DoorRow =>
  doorRow(grantKey('chart', String(index)), 1, { kind: 'grant', subject: to, keeper: 'northside', ...grant });

/** Whoever writes into a chart that another one keeps is told of in it. */
const presencesOf = (written: readonly { readonly custodian: string }[]): DoorRow[] =>
  [...new Set(written.map(({ custodian }) => custodian))]
    .filter((organization) => organization !== modelKeeper)
    .map((organization) =>
      doorRow(presenceKey('chart', organization), 1, { kind: 'presence', organization, keeper: modelKeeper }),
    );

/** A visit that is told of in the chart's rows belongs to an organisation that does not keep the chart. */
const doorRowsOf = ({ custodian, by, resource, updated, version, brokeGlass }: ModelStep, index: number): DoorRow[] => {
  const next: StoredRecord = {
    type: resource.resourceType,
    chart: 'chart',
    place: String(index),
    id: String(index),
    version,
    updated,
    custodian,
    labels: [],
    resource: resource as unknown as Resource,
  };
  const type = recordTypes.find(({ name }) => name === resource.resourceType);
  const visit = type?.visitOf?.(next);
  const puts = type?.visitOf
    ? visitChanges({ next }, visit && brokeGlass ? { ...visit, emergency: true } : visit, modelKeeper).puts.slice(1)
    : type?.accessRows?.({ next }, { baseUrl, byPatient: by === 'patient', byProxy: false, administrator: undefined })
        .puts;
  return (puts ?? []).flatMap((row) => ('door' in row ? [row as unknown as DoorRow] : []));
};
