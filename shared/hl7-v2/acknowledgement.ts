import { randomUUID } from 'node:crypto';
import { escaped } from './escapes.ts';
import type { Unfit, UnfitReason } from './unfit.ts';

/** What a sender is told of a message: accepted, in error, or rejected. HL7 2.5.1, chapter 2, section 2.9.2 */
export type Verdict = 'AA' | 'AE' | 'AR';

/** Fields of a message's header that its answer repeats. */
export interface Header {
  readonly sendingApplication: string;
  readonly sendingFacility: string;
  readonly receivingApplication: string;
  readonly receivingFacility: string;
  readonly event: string;
  readonly controlId: string;
  readonly processing: string;
  readonly version: string;
}

/** Something that is told beside the verdict. */
export interface Remark {
  /** W: it waits; I: it is filed, and something may be of interest; E: it is not taken. */
  readonly severity: 'E' | 'W' | 'I';
  readonly reason: UnfitReason | 'overtaken';
  readonly message: string;
  /** Field, such as `PID-7`. */
  readonly at: string;
  /** Code of a refusal. */
  readonly code?: string | undefined;
  /** `Task/id` of a message that waits. */
  readonly task?: string | undefined;
}

/** Table 0357 of HL7. https://terminology.hl7.org/CodeSystem-v2-0357.html */
export const conditionCodes: Readonly<Record<Remark['reason'], string>> = {
  header: '100',
  batch: '200',
  'character-set': '103',
  'message-type': '200',
  event: '201',
  'processing-id': '202',
  version: '203',
  'control-id-reused': '205',
  'sender-unknown': '204',
  'sender-configuration': '207',
  'field-missing': '101',
  'field-form': '102',
  'code-unknown': '103',
  'patient-unidentified': '204',
  'patient-unknown': '204',
  'patient-ambiguous': '204',
  'not-filed': '207',
  overtaken: '0',
};

/** What is never kept: it will not do better for waiting. */
export const rejecting: ReadonlySet<UnfitReason> = new Set([
  'header',
  'batch',
  'character-set',
  'message-type',
  'event',
  'processing-id',
  'version',
  'control-id-reused',
]);

export const remarkOf = ({ reason, message, at, code }: Unfit, severity: Remark['severity']): Remark => ({
  severity,
  reason,
  message,
  at,
  code,
});

const reasonSystem = 'concord';

/**
 * The answer to a message, in ER7. Before version 2.5 an ERR segment has its first field alone, which knows no severity: MSA-3 tells there that a message waits.
 *
 * @param now - milliseconds since 1970.
 */
export const acknowledgement = (header: Header, verdict: Verdict, remarks: readonly Remark[], now: number): string => {
  const time = new Date(now).toISOString().replace(/[-:T]/g, '').slice(0, 14);
  const [first] = remarks;
  const isOld = /^2\.[1-4]/.test(header.version);
  const text = first
    ? `${first.severity === 'W' ? `Waits${first.task === undefined ? '' : ` as ${first.task}`}: ` : ''}${first.message}`
    : '';
  const controlId = randomUUID().replaceAll('-', '').slice(0, 20);
  return [
    [
      'MSH',
      '^~\\&',
      header.receivingApplication,
      header.receivingFacility,
      header.sendingApplication,
      header.sendingFacility,
      `${time}+0000`,
      '',
      ['ACK', header.event, ...(isOld || header.event === '' ? [] : ['ACK'])].filter((part) => part !== '').join('^'),
      controlId,
      header.processing,
      header.version,
      '',
      '',
      '',
      '',
      '',
      'UNICODE UTF-8',
    ],
    ['MSA', verdict, escaped(header.controlId), ...(text === '' ? [] : [escaped(text)])],
    ...remarks.map((remark) => (isOld ? ['ERR', oldError(remark)] : newError(remark))),
  ]
    .map((fields) => `${fields.join('|')}\r`)
    .join('');
};

const placeOf = (at: string): readonly [segment: string, field: string] => {
  const [, segment = '', field = ''] = /^(\w{3})(?:-(\d+))?/.exec(at) ?? [];
  return [segment, field];
};

const oldError = ({ reason, message, at }: Remark): string => {
  const [segment, field] = placeOf(at);
  return `${segment}^1^${field}^${conditionCodes[reason]}&${escaped(message)}&HL70357`;
};

const newError = ({ severity, reason, message, at, code, task }: Remark): string[] => {
  const [segment, field] = placeOf(at);
  return [
    'ERR',
    '',
    segment === '' ? '' : [segment, '1', ...(field === '' ? [] : [field])].join('^'),
    `${conditionCodes[reason]}^^HL70357`,
    severity,
    `${code ?? reason}^^${reasonSystem}`,
    '',
    task ?? '',
    escaped(message),
  ];
};
