import type { Finding } from '../order-checks/findings.ts';
import type { NotChecked } from '../order-checks/words.ts';

/** https://cds-hooks.hl7.org/2.0/#card-attributes */
export interface Card {
  readonly uuid: string;
  /** Fewer than 140 letters. */
  readonly summary: string;
  /** Markdown. */
  readonly detail: string;
  readonly indicator: 'info' | 'warning' | 'critical';
  readonly source: { readonly label: string; readonly url?: string; readonly topic: fhir4.Coding };
  readonly suggestions?: readonly Suggestion[];
  readonly selectionBehavior?: 'any';
  readonly overrideReasons?: readonly fhir4.Coding[];
  readonly links?: readonly { readonly label: string; readonly url: string; readonly type: 'absolute' }[];
  readonly extension: Readonly<Record<string, unknown>>;
}

interface Suggestion {
  readonly label: string;
  readonly uuid: string;
  readonly actions: readonly {
    readonly type: 'delete';
    readonly description: string;
    readonly resourceId: string;
  }[];
}

const topics = 'https://concord.example/fhir/CodeSystem/order-check';
/** Names what is ours in a card's extension. */
const extension = 'example.concord.order-check';
const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

/** What is done about a clash, as a DetectedIssue's mitigation says it. https://hl7.org/fhir/R4/valueset-detectedissue-mitigation-action.html */
export const overrideReasons: readonly fhir4.Coding[] = [
  { system: actCode, code: '1', display: 'Therapy Appropriate' },
  { system: actCode, code: '2', display: 'Assessed Patient' },
  { system: actCode, code: '3', display: 'Patient Explanation' },
  { system: actCode, code: '4', display: 'Consulted Other Source' },
  { system: actCode, code: '5', display: 'Consulted Prescriber' },
  { system: actCode, code: '7', display: 'Interacting Therapy No Longer Active/Planned' },
  { system: actCode, code: '8', display: 'Other Action Taken' },
  { system: actCode, code: '9', display: 'Instituted Ongoing Monitoring Program' },
];

const indicators = { contraindicated: 'critical', serious: 'warning', moderate: 'info' } as const;

const longestSummary = 139;

const shortened = (words: string): string =>
  words.length <= longestSummary ? words : `${words.slice(0, longestSummary - 1).toWellFormed()}…`;

/** Words of a record, such as a unit, as text and nothing else. https://spec.commonmark.org/0.31.2/#backslash-escapes */
const plain = (words: string): string => words.replace(/[\\`*_{}[\]()#+!|<>~&]/g, (letter) => `\\${letter}`);

/**
 * A finding as a card.
 *
 * @param order - `Type/id` of what it speaks against; undefined for a draft without an id.
 * @param uuids - of the card, and of its suggestion.
 * @param told.draft - whether not to order it can be suggested.
 * @param told.notices - what the law wants to be told with what it tells of.
 */
export const cardOf = (
  { code, severity, text, record, rule, source, edition }: Finding,
  order: string | undefined,
  uuids: { readonly card: string; readonly suggestion: string },
  { draft, notices }: { readonly draft: boolean; readonly notices: readonly string[] },
): Card => ({
  uuid: uuids.card,
  summary: shortened(text),
  detail: [
    plain(text),
    ...(record === undefined ? [] : [`Record: ${plain(record)}`]),
    ...(source === undefined ? [] : [`Source: ${plain(source.title)}, ${plain(source.where)}`]),
    `Knowledge: ${plain(edition)}`,
    ...notices.map(plain),
  ].join('\n\n'),
  indicator: indicators[severity],
  source: {
    label: source?.title ?? `Order checks, ${edition}`,
    ...(source === undefined ? {} : { url: source.url }),
    topic: { system: topics, code },
  },
  ...(draft && order !== undefined && severity !== 'moderate'
    ? {
        selectionBehavior: 'any',
        suggestions: [
          {
            label: 'Do not order it',
            uuid: uuids.suggestion,
            actions: [{ type: 'delete', description: 'Take the order off the list', resourceId: order }],
          },
        ],
      }
    : {}),
  overrideReasons,
  ...(source === undefined ? {} : { links: [{ label: source.title, url: source.url, type: 'absolute' }] }),
  extension: {
    [extension]: {
      code,
      severity,
      edition,
      ...(order === undefined ? {} : { order }),
      ...(record === undefined ? {} : { record }),
      ...(rule === undefined ? {} : { rule }),
      ...(source === undefined ? {} : { source }),
    },
  },
});

/** What no answer was found for, in one card: the same words for everybody, each once. There is always something that was not looked at. */
export const notCheckedCard = (open: readonly NotChecked[], edition: string | undefined, uuid: string): Card => {
  const isGrave = open.some(({ code }) => code === 'no-pack' || code === 'order-unknown' || code === 'other-order');
  const words = [...new Set(open.map(({ text }) => text))];
  return {
    uuid,
    summary: edition === undefined ? 'Nothing was checked' : 'Not everything was checked',
    detail: [
      ...words.map((each) => `- ${plain(each)}`),
      ...(edition === undefined ? [] : ['', `Knowledge: ${plain(edition)}`]),
    ].join('\n'),
    indicator: isGrave ? 'warning' : 'info',
    source: {
      label: `Order checks${edition === undefined ? '' : `, ${edition}`}`,
      topic: { system: topics, code: 'not-checked' },
    },
    extension: {
      [extension]: {
        ...(edition === undefined ? {} : { edition }),
        notChecked: open.map(({ kind, code, record }) => ({ kind, code, ...(record === undefined ? {} : { record }) })),
      },
    },
  };
};
