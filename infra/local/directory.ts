import { roleSystem } from '../../shared/access/roles.ts';
import { type LocalUser, localUsers, type OrganizationId, organizations, type StaffRole } from './users.ts';

/** The directory of the local stack: both organisations, their places and the people and applications that can sign in. */

interface Person {
  readonly given: string;
  readonly family: string;
  readonly gender: fhir4.Practitioner['gender'];
}

/** Invented people. */
const people: Readonly<Record<OrganizationId, Readonly<Record<StaffRole, Person>>>> = {
  northside: {
    physician: { given: 'Amara', family: 'Okafor', gender: 'female' },
    nurse: { given: 'Daniel', family: 'Reyes', gender: 'male' },
    pharmacist: { given: 'Priya', family: 'Raman', gender: 'female' },
    lab: { given: 'Tomasz', family: 'Zielinski', gender: 'male' },
    frontdesk: { given: 'Grace', family: 'Lindqvist', gender: 'female' },
    support: { given: 'Mateo', family: 'Vargas', gender: 'male' },
    privacy: { given: 'Helen', family: 'Abara', gender: 'female' },
    admin: { given: 'Jonas', family: 'Weber', gender: 'male' },
  },
  lakeside: {
    physician: { given: 'Samuel', family: 'Hartmann', gender: 'male' },
    nurse: { given: 'Leila', family: 'Haddad', gender: 'female' },
    pharmacist: { given: 'Owen', family: 'Gallagher', gender: 'male' },
    lab: { given: 'Mei', family: 'Tanaka', gender: 'female' },
    frontdesk: { given: 'Rosa', family: 'Marchetti', gender: 'female' },
    support: { given: 'Kwame', family: 'Mensah', gender: 'male' },
    privacy: { given: 'Ingrid', family: 'Solberg', gender: 'female' },
    admin: { given: 'Victor', family: 'Petrov', gender: 'male' },
  },
};

/** https://terminology.hl7.org/CodeSystem-practitioner-role.html has codes for three of them. */
const roleNames: Readonly<Record<StaffRole, { readonly text: string; readonly code?: string }>> = {
  physician: { text: 'Physician', code: 'doctor' },
  nurse: { text: 'Nurse', code: 'nurse' },
  pharmacist: { text: 'Pharmacist', code: 'pharmacist' },
  lab: { text: 'Medical laboratory scientist' },
  frontdesk: { text: 'Front desk' },
  support: { text: 'Patient support' },
  privacy: { text: 'Privacy officer' },
  admin: { text: 'Administrator' },
};

interface Place {
  readonly id: string;
  readonly name: string;
  readonly type: { readonly code: string; readonly display: string };
}

/** https://terminology.hl7.org/ValueSet-v3-ServiceDeliveryLocationRoleType.html */
const places: Readonly<Record<OrganizationId, readonly Place[]>> = {
  northside: [
    {
      id: 'northside-main',
      name: 'Northside Clinic, Main Street',
      type: { code: 'OF', display: 'Outpatient facility' },
    },
    {
      id: 'northside-laboratory',
      name: 'Northside Clinic, laboratory',
      type: { code: 'PLAB', display: 'Pathology laboratory' },
    },
  ],
  lakeside: [
    { id: 'lakeside-main', name: 'Lakeside Hospital, main building', type: { code: 'HOSP', display: 'Hospital' } },
    {
      id: 'lakeside-emergency',
      name: 'Lakeside Hospital, emergency room',
      type: { code: 'ER', display: 'Emergency room' },
    },
  ],
};

const addresses: Readonly<Record<OrganizationId, fhir4.Address>> = {
  northside: {
    use: 'work',
    line: ['100 Main Street'],
    city: 'Northside',
    state: 'MA',
    postalCode: '02100',
    country: 'US',
  },
  lakeside: {
    use: 'work',
    line: ['1 Lakeshore Drive'],
    city: 'Lakeside',
    state: 'MA',
    postalCode: '02199',
    country: 'US',
  },
};

/** Identifier systems of the example organisations; no such number is anybody's. */
const identifier = (organization: OrganizationId, kind: string, value: string): fhir4.Identifier[] => [
  { use: 'official', system: `https://${organization}.example/${kind}`, value },
];

/** The directory of one organisation, in an order in which each record finds those that it refers to. */
export const directoryOf = (organization: OrganizationId): fhir4.FhirResource[] => {
  const staff = localUsers.filter((user) => user.organization === organization);
  return [
    organizationRecord(organization),
    ...places[organization].map((place) => location(organization, place)),
    ...staff.flatMap((user, index) =>
      user.role === 'system' ? [application(user)] : person(user, user.role, index + 1),
    ),
  ];
};

const organizationRecord = (organization: OrganizationId): fhir4.Organization => ({
  resourceType: 'Organization',
  id: organization,
  identifier: identifier(organization, 'organization-number', organization.toUpperCase()),
  active: true,
  type: [
    {
      coding: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/organization-type',
          code: 'prov',
          display: 'Healthcare Provider',
        },
      ],
    },
  ],
  name: organizations.find(({ id }) => id === organization)?.name ?? organization,
  telecom: [{ system: 'email', value: `office@${organization}.example`, use: 'work' }],
  address: [addresses[organization]],
});

const location = (organization: OrganizationId, { id, name, type }: Place): fhir4.Location => ({
  resourceType: 'Location',
  id,
  identifier: identifier(organization, 'location-number', id.toUpperCase()),
  status: 'active',
  name,
  mode: 'instance',
  type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', ...type }] }],
  address: addresses[organization],
  managingOrganization: { reference: `Organization/${organization}` },
});

const person = ({ username, organization }: LocalUser, role: StaffRole, number: number): fhir4.FhirResource[] => {
  const { given, family, gender } = people[organization][role];
  const { text, code } = roleNames[role];
  const id = `${organization}-${role}`;
  const practitioner: fhir4.Practitioner = {
    resourceType: 'Practitioner',
    id,
    identifier: identifier(organization, 'staff-number', String(1000 + number)),
    active: true,
    name: [{ use: 'official', family, given: [given], ...(role === 'physician' ? { prefix: ['Dr.'] } : {}) }],
    telecom: [{ system: 'email', value: username, use: 'work' }],
    ...(gender === undefined ? {} : { gender }),
    ...(role === 'physician' ? { qualification: [licence(organization, number)] } : {}),
  };
  const practitionerRole: fhir4.PractitionerRole = {
    resourceType: 'PractitionerRole',
    id,
    identifier: identifier(organization, 'role-number', String(2000 + number)),
    active: true,
    practitioner: { reference: `Practitioner/${id}`, display: `${given} ${family}` },
    organization: { reference: `Organization/${organization}` },
    code: [
      {
        coding: [
          ...(code === undefined
            ? []
            : [{ system: 'http://terminology.hl7.org/CodeSystem/practitioner-role', code, display: text }]),
          { system: roleSystem, code: role },
        ],
        text,
      },
    ],
    location: [{ reference: `Location/${organization}-main` }],
    telecom: [{ system: 'email', value: username, use: 'work' }],
  };
  return [practitioner, practitionerRole];
};

const licence = (organization: OrganizationId, number: number): fhir4.PractitionerQualification => ({
  identifier: identifier(organization, 'medical-licence', `EXAMPLE-${3000 + number}`),
  code: {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0360', code: 'MD', display: 'Doctor of Medicine' }],
    text: 'Doctor of Medicine',
  },
  period: { start: '2015-01-01' },
  issuer: { display: 'Example board of medicine' },
});

const application = ({ organization }: LocalUser): fhir4.Device => ({
  resourceType: 'Device',
  id: `${organization}-system`,
  identifier: identifier(organization, 'application-number', `${organization.toUpperCase()}-SYSTEM`),
  status: 'active',
  deviceName: [
    {
      name: `Applications of ${organization === 'northside' ? 'Northside Clinic' : 'Lakeside Hospital'}`,
      type: 'user-friendly-name',
    },
  ],
  type: { text: 'Software that acts for the organisation' },
  owner: { reference: `Organization/${organization}` },
});
