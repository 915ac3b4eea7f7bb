/** A chart in a pack: its patient, when they come, and their summary. */
export interface PackedChart {
  /** Times of appointments, as the records say them. */
  readonly appointments: readonly string[];
  readonly summary: fhir4.Bundle;
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

const nameOf = ({ name = [] }: fhir4.Patient): string => {
  const [first] = name;
  return first?.text ?? [first?.family, ...(first?.given ?? [])].filter((part) => part !== undefined).join(', ');
};

const patientIn = ({ entry = [] }: fhir4.Bundle) =>
  entry.map(({ resource }) => resource).find((resource) => resource?.resourceType === 'Patient') as
    | fhir4.Patient
    | undefined;
const compositionIn = ({ entry = [] }: fhir4.Bundle) =>
  entry.map(({ resource }) => resource).find((resource) => resource?.resourceType === 'Composition') as
    | fhir4.Composition
    | undefined;

/** Text of a narrative, line by line: no markup of a chart comes into the page. */
const linesOf = (div: string): string[] =>
  div
    .replace(/<\/(?:p|li|div|tr|h\d)>/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&amp;/g, '&')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

const list = (lines: readonly string[]): string =>
  `<ul>${lines.map((line) => `<li>${escaped(line)}</li>`).join('')}</ul>`;

/** Behind a label of a substance-use programme. https://www.law.cornell.edu/cfr/text/42/2.32 */
const redisclosure = '42 CFR part 2 prohibits unauthorized use or disclosure of these records.';

/**
 * A chart as a part of a page.
 *
 * @param time - when the pack was made, as the page has it.
 */
export const chartHtml = ({ appointments, summary }: PackedChart, number: number, time: string): string => {
  const patient = patientIn(summary);
  const composition = compositionIn(summary);
  const labels = (summary.meta?.security ?? []).map(({ code = '' }) => code);
  const facts = [
    patient?.birthDate === undefined ? undefined : `born ${patient.birthDate}`,
    patient?.gender,
    ...(patient?.identifier ?? []).map(({ value }) => value),
    ...(patient?.telecom ?? []).map(({ value }) => value),
  ].filter((fact) => fact !== undefined);
  return [
    `<article id="c${number}"><h2>${escaped(patient ? nameOf(patient) : 'Unknown')}</h2>`,
    `<p class="made">As of ${escaped(time)}</p><p>${escaped(facts.join(' · '))}</p>`,
    appointments.length === 0 ? '' : `<h3>Appointments</h3>${list(appointments)}`,
    labels.length === 0
      ? ''
      : `<p>Labelled ${escaped(labels.join(', '))}. ${labels.includes('42CFRPart2') ? redisclosure : ''}</p>`,
    ...(composition?.text ? [list(linesOf(composition.text.div))] : []),
    ...(composition?.section ?? []).map(
      ({ title = '', text }) => `<h3>${escaped(title)}</h3>${list(linesOf(text?.div ?? ''))}`,
    ),
    '<p><a href="#top">To the list</a></p></article>',
  ].join('\n');
};

/** All charts of a page, behind a list of them in their order. */
export const packHtml = (title: string, charts: readonly PackedChart[], made: number): string => {
  const time = new Date(made).toISOString();
  const lines = charts.map(({ appointments, summary }, index) => {
    const patient = patientIn(summary);
    return `<li><a href="#c${index}">${escaped(patient ? nameOf(patient) : 'Unknown')}</a> ${escaped(appointments.join('; '))}</li>`;
  });
  return [
    `<h1 id="top">${escaped(title)}</h1><p class="made">As of ${time}. Destroy this pack once the records are back.</p>`,
    `<ol>${lines.join('')}</ol>`,
    ...charts.map((chart, index) => chartHtml(chart, index, time)),
  ].join('\n');
};
