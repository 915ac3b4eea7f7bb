import type { Resource } from '../fhir/resource.ts';
import { unsignedOrder } from '../prescriptions/orders.ts';

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as XHTML shows it: never markup, and without what XML cannot hold. */
const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, ' ')
    .replace(/[&<>"']/g, (letter) => escapes[letter] ?? '');

/** A narrative that the server made of data alone. https://hl7.org/fhir/R4/narrative.html */
export const narrative = (paragraphs: readonly string[], items: readonly string[] = []): fhir4.Narrative => ({
  status: 'generated',
  div: `<div xmlns="http://www.w3.org/1999/xhtml">${paragraphs.map((each) => `<p>${escaped(each)}</p>`).join('')}${
    items.length === 0 ? '' : `<ul>${items.map((each) => `<li>${escaped(each)}</li>`).join('')}</ul>`
  }</div>`,
});

const wordsOf = (value: unknown): string | undefined => {
  const { text, coding = [] } = (value ?? {}) as fhir4.CodeableConcept;
  const first = coding.find(({ display, code }) => display !== undefined || code !== undefined);
  return text ?? first?.display ?? first?.code;
};

/** How a value of a result is read out. What is not understood is left to the entry. */
const valueIn = (resource: object): string | undefined => {
  const { valueQuantity, valueCodeableConcept, valueString, valueBoolean, valueInteger, valueDateTime } =
    resource as fhir4.Observation;
  if (valueQuantity?.value !== undefined) {
    const { comparator = '', value, unit = valueQuantity.code ?? '' } = valueQuantity;
    return `${comparator}${value} ${unit}`.trim();
  }
  return wordsOf(valueCodeableConcept) ?? valueString ?? valueDateTime ?? (valueBoolean ?? valueInteger)?.toString();
};

const dates =
  'onsetDateTime recordedDate authoredOn effectiveDateTime issued occurrenceDateTime performedDateTime dateTime date created'.split(
    ' ',
  );
const periods = 'effectivePeriod performedPeriod onsetPeriod period'.split(' ');

/** The day of a record, as it tells it. */
const dayIn = (resource: Resource): string | undefined => {
  const given =
    dates.map((name) => resource[name]).find((value) => typeof value === 'string') ??
    periods.map((name) => (resource[name] as fhir4.Period | undefined)?.start).find((value) => value !== undefined);
  return (given as string | undefined)?.slice(0, 10);
};

/**
 * One record in a line: what it is, its value, its state and its day. What is not a fact is said so: that an order is not signed, or forbids; a finding not confirmed.
 *
 * @param medicine - what a reference to a Medication leads to.
 */
export const lineOf = (resource: Resource, medicine?: Resource): string => {
  const { component = [] } = resource as unknown as fhir4.Observation;
  const { medicationReference, deviceName, title } = resource as { [name: string]: unknown };
  const name =
    wordsOf(resource['code'] ?? resource['vaccineCode'] ?? resource['medicationCodeableConcept']) ??
    wordsOf(medicine?.['code']) ??
    (medicationReference as fhir4.Reference | undefined)?.display ??
    (deviceName as fhir4.DeviceDeviceName[] | undefined)?.[0]?.name ??
    (title as string | undefined) ??
    wordsOf(resource['type'] ?? [resource['category'] ?? []].flat()[0]) ??
    resource.resourceType;
  const called = resource['doNotPerform'] === true ? `Not to be given: ${name}` : name;
  const value = valueIn(resource);
  const parts = component.flatMap((each) => {
    const of = valueIn(each);
    return of === undefined ? [] : [`${wordsOf(each.code)} ${of}`];
  });
  const dosage = (resource['dosageInstruction'] ?? resource['dosage'] ?? []) as fhir4.Dosage[];
  const unsigned = resource.meta?.tag?.some(
    ({ system, code }) => system === unsignedOrder.system && code === unsignedOrder.code,
  );
  const said = [
    ...(value === undefined ? [] : [value]),
    ...parts,
    ...dosage.flatMap(({ text }) => text ?? []),
    ...[resource['clinicalStatus'], resource['verificationStatus']].flatMap((concept) => wordsOf(concept) ?? []),
    ...(typeof resource['criticality'] === 'string' ? [`criticality ${resource['criticality']}`] : []),
    ...(typeof resource['status'] === 'string' ? [resource['status']] : []),
    ...(unsigned ? ['not signed here'] : []),
    ...[dayIn(resource) ?? []].flat(),
  ];
  return said.length === 0 ? called : `${called}: ${said.join('; ')}`;
};
