import { date, dateTime } from './calendar.ts';
import type { Chart, ChartOrganization, ChartParty } from './chart.ts';
import { hl7 } from './concepts.ts';
import { ageAt } from './life.ts';
import { familyNames, givenNames } from './names.ts';
import type { Random } from './random.ts';

/** System of the numbers by which an organisation knows its patients. */
export const patientNumberSystem = (domain: string): string => `https://${domain}/patient-number`;

/** The number of the patient whom a seed invents. */
export const patientNumber = (seed: number): string => `P${String(seed).padStart(7, '0')}`;

/** https://hl7.org/fhir/R4/patient.html */
export const addPatient = (chart: Chart, seed: number): void => {
  const { life, organization, staff, random } = chart;
  const sexCode = life.sex === 'female' ? 'F' : 'M';
  const isGrown = ageAt(life, life.end) >= 16;
  const address = `${life.given}.${life.family}.${seed}@home.example`.toLowerCase();
  chart.add(
    {
      resourceType: 'Patient',
      extension: [
        { url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex', valueCode: sexCode },
        {
          url: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace',
          valueAddress: { city: life.town.city, state: 'MA', country: 'US' },
        },
      ],
      identifier: [
        {
          use: 'usual',
          type: { ...hl7('v2-0203', 'MR', 'Medical Record Number'), text: 'Medical Record Number' },
          system: patientNumberSystem(organization.domain),
          value: patientNumber(seed),
          assigner: { reference: organization.reference, display: organization.display },
        },
        {
          use: 'official',
          type: { ...hl7('v2-0203', 'NI', 'National unique individual identifier'), text: 'National number' },
          system: 'urn:oid:2.999.1.1', // the arc for examples: https://oid-base.com/get/2.999
          value: `N${String(seed).padStart(9, '0')}`,
        },
      ],
      active: true,
      name: [
        {
          use: 'official',
          family: life.family,
          given: [life.given, life.middle],
          ...(isGrown ? { prefix: [life.sex === 'female' ? 'Ms.' : 'Mr.'] } : {}),
        },
      ],
      telecom: [
        { system: 'phone', value: life.phone, use: 'home' },
        ...(isGrown ? [{ system: 'email' as const, value: address, use: 'home' as const }] : []),
      ],
      gender: life.sex,
      birthDate: date(life.birth),
      ...(life.death === undefined ? {} : { deceasedDateTime: dateTime(life.death) }),
      address: [
        {
          use: 'home',
          line: [life.street],
          city: life.town.city,
          state: 'MA',
          postalCode: life.town.postalCode,
          country: 'US',
        },
      ],
      ...(life.maritalStatus === undefined
        ? {}
        : { maritalStatus: hl7('v3-MaritalStatus', life.maritalStatus.code, life.maritalStatus.display) }),
      multipleBirthBoolean: false,
      contact: [
        {
          relationship: [hl7('v2-0131', 'N', 'Next-of-Kin')],
          name: { family: life.family, given: [random.pick(givenNames[random.pick(['female', 'male'] as const)])] },
          telecom: [{ system: 'phone', value: life.phone }],
        },
      ],
      communication: [
        {
          language: {
            coding: [{ system: 'urn:ietf:bcp:47', ...life.language }],
            text: life.language.display,
          },
          preferred: true,
        },
      ],
      generalPractitioner: [{ reference: staff.physician.reference, display: staff.physician.display }],
      managingOrganization: { reference: organization.reference, display: organization.display },
    },
    chart.subject.reference,
  );
};

/** An organisation for a chart that brings its own. */
export const inventOrganization = (random: Random, reference: string): [ChartOrganization, fhir4.Organization] => {
  const domain = 'clinic.example';
  const display = 'Example Community Clinic';
  return [
    { reference, display, domain },
    {
      resourceType: 'Organization',
      identifier: [{ system: `https://${domain}/organization-number`, value: `O${random.whole(100_000, 999_999)}` }],
      active: true,
      type: [hl7('organization-type', 'prov', 'Healthcare Provider')],
      name: display,
      telecom: [{ system: 'email', value: `office@${domain}`, use: 'work' }],
      address: [{ line: ['1 Example Square'], city: 'Eastmere', state: 'MA', postalCode: '02150', country: 'US' }],
    },
  ];
};

/** A member of staff for a chart that brings its own. */
export const inventPractitioner = (
  random: Random,
  reference: string,
  domain: string,
  prefix: string,
): [ChartParty, fhir4.Practitioner] => {
  const gender = random.pick(['female', 'male'] as const);
  const given = random.pick(givenNames[gender]);
  const family = random.pick(familyNames);
  return [
    { reference, display: `${prefix}${given} ${family}` },
    {
      resourceType: 'Practitioner',
      identifier: [{ system: `https://${domain}/staff-number`, value: `S${random.whole(100_000, 999_999)}` }],
      active: true,
      name: [{ family, given: [given], ...(prefix === '' ? {} : { prefix: [prefix.trim()] }) }],
      gender,
    },
  ];
};
