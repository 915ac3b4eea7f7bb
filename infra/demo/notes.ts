import { date, dateTime } from './calendar.ts';
import { type Chart, named, type Visit } from './chart.ts';
import { hl7, loinc } from './concepts.ts';
import { ageAt } from './life.ts';

/** What a note says of a visit. */
export interface NoteContent {
  readonly reason: string;
  readonly problems: readonly string[];
  readonly plan: string;
}

const noteType = loinc('34117-2', 'History and physical note');

const subjectLine = ({ life }: Chart, visit: Visit): string => {
  const years = ageAt(life, visit.start);
  const age = years < 2 ? `${Math.floor(years * 12)} month` : `${Math.floor(years)} year`;
  return `${age} old ${life.sex} patient, seen on ${date(visit.start)}.`;
};

const problemLine = ({ problems }: NoteContent): string =>
  problems.length === 0 ? 'No known chronic problems.' : `Known problems: ${problems.join(', ')}.`;

const allergyLine = ({ life }: Chart): string =>
  life.allergies.length === 0
    ? 'No known allergies.'
    : `Allergies: ${life.allergies.map(({ concept }) => concept.text).join(', ')}.`;

const smokingLine = ({ life }: Chart): string =>
  life.smoking === 'never' ? 'Has never smoked.' : 'Gave up smoking years ago.';

/** Nobody asks a child whether it smokes; its parents tell how it is, and are told what to do. */
const isChild = ({ life }: Chart, visit: Visit): boolean => ageAt(life, visit.start) < 12;

/** A note as a document of plain text. https://hl7.org/fhir/R4/documentreference.html */
export const addDocument = (chart: Chart, visit: Visit, content: NoteContent): void => {
  const text = [
    'History and physical note',
    subjectLine(chart, visit),
    '',
    'Chief complaint',
    content.reason,
    '',
    'History',
    problemLine(content),
    allergyLine(chart),
    ...(isChild(chart, visit)
      ? ['A parent tells: eats, drinks and sleeps well otherwise, plays as usual.']
      : [
          smokingLine(chart),
          'The patient reports no chest pain, no shortness of breath at rest, and no change of weight that was not intended.',
        ]),
    '',
    'Examination',
    isChild(chart, visit)
      ? 'Awake and attentive, in no distress, development as expected at this age. Heart sounds regular without murmur.'
      : 'Alert, well oriented, in no distress. Heart sounds regular without murmur. Gait and balance without finding.',
    'Breath sounds clear on both sides. Abdomen soft, not tender. No edema.',
    '',
    'Assessment and plan',
    content.plan,
    `The ${isChild(chart, visit) ? 'parent' : 'patient'} has understood the plan, knows whom to call, and agrees.`,
    '',
    `Signed: ${chart.staff.physician.display}`,
  ].join('\n');
  chart.add({
    resourceType: 'DocumentReference',
    identifier: [
      {
        system: `https://${chart.organization.domain}/document-number`,
        value: `D${chart.random.whole(10_000_000, 99_999_999)}`,
      },
    ],
    status: 'current',
    docStatus: 'final',
    type: noteType,
    category: [
      {
        coding: [
          {
            system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category',
            code: 'clinical-note',
            display: 'Clinical Note',
          },
        ],
      },
    ],
    subject: named(chart.subject),
    date: dateTime(visit.end),
    author: [named(chart.staff.physician)],
    custodian: named(chart.organization),
    content: [
      {
        attachment: {
          contentType: 'text/plain; charset=utf-8',
          language: 'en-US',
          data: Buffer.from(text).toString('base64'),
          creation: dateTime(visit.end),
        },
        format: {
          system: 'http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem',
          code: 'urn:ihe:iti:xds:2017:mimeTypeSufficient',
          display: 'mimeType Sufficient',
        },
      },
    ],
    context: { encounter: [visit.encounter], period: { start: dateTime(visit.start), end: dateTime(visit.end) } },
  });
};

/** The history and physical as a report without results, as some systems send it. */
export const addNoteReport = (chart: Chart, visit: Visit, content: NoteContent): void => {
  chart.add({
    resourceType: 'DiagnosticReport',
    status: 'final',
    category: [noteType],
    code: noteType,
    subject: named(chart.subject),
    encounter: visit.encounter,
    effectiveDateTime: dateTime(visit.start),
    issued: dateTime(visit.end),
    performer: [named(chart.staff.physician)],
    conclusion: [
      subjectLine(chart, visit),
      content.reason,
      problemLine(content),
      allergyLine(chart),
      ...(isChild(chart, visit) ? [] : [smokingLine(chart)]),
      content.plan,
    ].join(' '),
  });
};

const section = (title: string, code: string, display: string, text: string): fhir4.CompositionSection => ({
  title,
  code: loinc(code, display),
  text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><p>${text}</p></div>` },
});

/** A signed progress note. https://hl7.org/fhir/R4/composition.html */
export const addComposition = (chart: Chart, visit: Visit, content: NoteContent): void => {
  chart.add({
    resourceType: 'Composition',
    status: 'final',
    type: loinc('11506-3', 'Progress note'),
    subject: named(chart.subject),
    encounter: visit.encounter,
    date: dateTime(visit.end),
    author: [named(chart.staff.physician)],
    title: 'Progress note',
    custodian: named(chart.organization),
    attester: [{ mode: 'professional', time: dateTime(visit.end), party: named(chart.staff.physician) }],
    section: [
      section('Reason for visit', '29299-5', 'Reason for visit Narrative', content.reason),
      section('Problems', '11450-4', 'Problem list - Reported', problemLine(content)),
      section('Allergies', '48765-2', 'Allergies and adverse reactions Document', allergyLine(chart)),
      section('Plan', '18776-5', 'Plan of care note', content.plan),
    ],
  });
};

/** What the patient is told after a visit. https://hl7.org/fhir/R4/communication.html */
export const addMessage = (chart: Chart, visit: Visit): void => {
  chart.add({
    resourceType: 'Communication',
    status: 'completed',
    category: [hl7('communication-category', 'notification', 'Notification')],
    subject: named(chart.subject),
    encounter: visit.encounter,
    sent: dateTime(visit.end),
    recipient: [named(chart.subject)],
    sender: named(chart.staff.nurse),
    payload: [{ contentString: 'The notes of your visit are in your record. Please call us if you have questions.' }],
  });
};
