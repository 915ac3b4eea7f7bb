import type { Filing } from '../../laboratory/filing.ts';
import type { Segment } from '../message.ts';
import { cellsOf, type Group, groupOf, type Reading, type Row, requiredPart } from '../reading.ts';
import { instantOf } from '../times.ts';
import { saying } from '../told.ts';
import { Unfit } from '../unfit.ts';
import { reportRows, resultRows, specimenRows } from './observation.ts';
import { orderNumbers } from './service-request.ts';

const read = <T>(type: string, rows: readonly Row[], group: Group, reading: Reading, besides: object = {}): T =>
  saying(
    type,
    cellsOf(rows, group, reading, () => undefined),
    besides as Readonly<Record<string, unknown>>,
  ) as T;

/**
 * The reports of an ORU: each OBR with its results and specimens, as the laboratory's own filing takes them. Whose they are is not told yet.
 *
 * @throws Unfit for what a report lacks.
 */
export const reportsOf = (reading: Reading): Omit<Filing, 'patient'>[] => {
  const groups = reading.message.groups('OBR');
  if (groups.length === 0) throw new Unfit('field-missing', 'There is no report in it', 'OBR-3');
  const orders = reading.message.segments;
  return groups.map((segments) => {
    const [obr] = segments;
    const before = obr ? orders[orders.indexOf(obr) - 1] : undefined;
    return reportOf(reading, segments, before?.name === 'ORC' ? before : undefined);
  });
};

const reportOf = (
  reading: Reading,
  segments: readonly Segment[],
  orc: Segment | undefined,
): Omit<Filing, 'patient'> => {
  const whole = groupOf(orc ? [orc, ...segments.filter(({ name }) => name !== 'ORC')] : segments);
  const numbers = orderNumbers(reading, whole);
  const filler = numbers.find(({ type, system }) => type?.coding?.[0]?.code === 'FILL' && system !== undefined);
  if (!filler)
    throw new Unfit(
      'field-missing',
      "The report has no filler's number, or nobody has said by whom it is numbered",
      'OBR-3',
    );
  const obr = whole.first('OBR');
  const reported = obr?.field(22).part(1) ?? '';
  const { zone } = reading.sender;
  const issued =
    reported === ''
      ? instantOf(requiredPart(reading.message.part('MSH', 7), 'MSH-7'), 'MSH-7', zone)
      : instantOf(reported, 'OBR-22', zone);
  const results = groupsOf(segments, 'OBX');
  const contents = results.filter((group) => group.first('OBX')?.field(2).part(1) === 'ED');
  const specimens = whole.all('SPM').map((segment, index): fhir4.Specimen => {
    const own = specimenNumber(reading, segment);
    const identifier = own ?? {
      system: filler.system ?? '',
      value: `${filler.value}-${segment.field(1).part(1) || index + 1}`,
    };
    return {
      ...read<fhir4.Specimen>('Specimen', specimenRows, groupOf([segment]), reading),
      id: `specimen-${index + 1}`,
      identifier: [identifier],
    };
  });
  const notes = segments
    .slice(
      1,
      Math.max(
        segments.findIndex(({ name }) => name === 'OBX'),
        1,
      ),
    )
    .filter(({ name }) => name === 'NTE');
  const conclusion = notes
    .map((segment) =>
      segment
        .field(3)
        .repetitions.map(({ text }) => text)
        .join('\n'),
    )
    .join('\n');
  return {
    report: read<fhir4.DiagnosticReport>('DiagnosticReport', reportRows, whole, reading, {
      identifier: numbers.filter(({ system }) => system !== undefined),
      issued: new Date(issued).toISOString(),
      ...(conclusion === '' ? {} : { conclusion }),
      ...(contents.length === 0 ? {} : { presentedForm: contents.map(contentIn) }),
    }),
    results: results
      .filter((group) => !contents.includes(group))
      .map((group) => {
        const withObr = groupOf([...group.segments, ...(obr ? [obr] : [])]);
        const [only] = specimens;
        return read<fhir4.Observation>(
          'Observation',
          resultRows,
          withObr,
          reading,
          specimens.length === 1 && only ? { specimen: { reference: `#${only.id}` } } : {},
        );
      }),
    specimens,
  };
};

const groupsOf = (segments: readonly Segment[], name: string): Group[] => {
  const groups: Segment[][] = [];
  for (const segment of segments) {
    if (segment.name === name) groups.push([segment]);
    // Notes behind a specimen are not the last result's.
    else if (segment.name === 'NTE') groups.at(-1)?.push(segment);
  }
  return groups.map(groupOf);
};

/** SPM-2: the filler's number, else the placer's. */
const specimenNumber = (reading: Reading, segment: Segment): fhir4.Identifier | undefined => {
  const { first } = segment.field(2);
  for (const component of [2, 1]) {
    const [value, name, id] = [1, 2, 3].map((part) => first.part(component, part));
    const { authorities, numbers } = reading.sender;
    const system =
      authorities.get(name ?? '') ??
      authorities.get(id ?? '') ??
      (name === '' && id === '' ? numbers.get('filler') : undefined);
    if (value !== undefined && value !== '' && system !== undefined) return { system, value };
  }
  return undefined;
};

/** An ED: content of a type, in base 64. */
const contentIn = (group: Group): fhir4.Attachment => {
  const field = group.first('OBX')?.field(5);
  const [type, subtype, encoding, data] = [2, 3, 4, 5].map((component) => field?.part(component) ?? '');
  if (encoding?.toUpperCase() !== 'BASE64' || !/^[A-Za-z0-9+/\s]+={0,2}$/.test(data ?? ''))
    throw new Unfit('field-form', 'Content is sent in base 64', 'OBX-5');
  const title = group.first('OBX')?.field(3).part(2) ?? '';
  const known: Readonly<Record<string, string>> = {
    PDF: 'application/pdf',
    JPEG: 'image/jpeg',
    TIFF: 'image/tiff',
    PNG: 'image/png',
    HTML: 'text/html',
  };
  return {
    contentType: known[(subtype || type || '').toUpperCase()] ?? 'application/octet-stream',
    data: (data ?? '').replace(/\s/g, ''),
    ...(title === '' ? {} : { title }),
  };
};
