import type { Policy } from '../../shared/access/policy.ts';
import { indexDisclosures } from '../../shared/audit/index-disclosures.ts';
import type { TestCaller } from './callers.ts';
import { localTable } from './dynamodb.ts';
import { fhirServer, type TestBody } from './fhir-server.ts';
import {
  admin,
  allPages,
  create,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from './records.ts';
import { insertEvent } from './stream-events.ts';
import { allRows } from './test-store.ts';

// What tests of what a patient is told have in common: charts, what is recorded of them, and what logs say.

export const privacy: TestCaller = { role: 'privacy' };
export const hl7 = 'http://terminology.hl7.org/CodeSystem/';

export interface Chart {
  readonly patient: Stored<fhir4.Patient>;
  readonly observation: Stored<fhir4.Observation>;
  readonly own: TestCaller;
}

export const disclosed = {
  recipient: 'County Court',
  address: '1 Court Square',
  date: '2026-03-02',
  description: 'Visits of 2025',
  purpose: 'subpoena',
};
export const queriesIn = (event: TestBody): string[] =>
  [...JSON.stringify(event).matchAll(/"query":"([^"]+)"/g)].map(([, query = '']) =>
    Buffer.from(query, 'base64').toString(),
  );
export const isRead = ({ subtype }: TestBody) => subtype?.[0]?.code === 'read';
export const textsIn = (events: readonly TestBody[]) =>
  events.map(({ text }) =>
    String(text?.div)
      .replace(/<[^>]*>/g, '')
      .replace(/^On .* UTC, /, ''),
  );

/** A server with two organisations and a nurse whose names are known, and what is asked of it again and again. */
export const patientView = async (policy: Partial<Policy> = {}) => {
  const table = await localTable();
  const server = await fhirServer(table, policy);
  for (const [id, name] of [
    ['northside', 'Northside Clinic'],
    ['lakeside', 'Lakeside <Hospital>'],
  ] as const) {
    await server.put(
      `Organization/${id}`,
      { resourceType: 'Organization', id, name },
      { as: { ...admin, organization: id } },
    );
  }
  await server.put(
    'Practitioner/northside-nurse',
    { resourceType: 'Practitioner', id: 'northside-nurse', name: [{ given: ['Nora'], family: 'Nord' }] },
    { as: admin },
  );

  const chart = async (): Promise<Chart> => {
    const patient = await create(server, patientBody());
    const observation = await create(
      server,
      observationBody(referenceTo(patient), {
        code: { coding: [{ system: 'http://loinc.org', code: '85354-9' }], text: 'Blood <pressure>' },
        effectiveDateTime: '2026-05-03',
      }),
    );
    return { patient, observation, own: { role: 'patient', patient: patient.id } };
  };

  /** Opens a chart to the other organisation. */
  const share = async ({ patient }: Chart) => {
    const body: fhir4.Consent = {
      resourceType: 'Consent',
      status: 'active',
      scope: { coding: [{ system: `${hl7}consentscope`, code: 'patient-privacy' }] },
      category: [{ coding: [{ system: `${hl7}consentcategorycodes`, code: 'infa' }] }],
      patient: { reference: referenceTo(patient) },
      policyRule: { coding: [{ system: `${hl7}v3-ActCode`, code: 'OPTIN' }] },
    };
    await create(server, body);
  };

  /** Does what the consumer of the stream does. */
  const followStream = async () => {
    const rows = (await allRows(server.store)).filter(({ pk }) => /^A#[^#]+$/.test(pk));
    rows.sort((a, b) => (a.sk < b.sk ? -1 : 1));
    await indexDisclosures(server.store, insertEvent(rows));
  };

  const post = (path: string, parameters: Record<string, string | boolean>, as: TestCaller = privacy) =>
    server.post(
      path,
      {
        resourceType: 'Parameters',
        parameter: Object.entries(parameters).map(([name, value]) => {
          const type =
            typeof value === 'boolean'
              ? 'Boolean'
              : name === 'date' || name === 'until'
                ? 'DateTime'
                : name === 'organization'
                  ? 'Id'
                  : 'String';
          return { name, [`value${type}`]: value };
        }),
      },
      { as },
    );

  const record = ({ patient }: Chart, over: Partial<typeof disclosed> = {}, as?: TestCaller) =>
    post(`${pathOf(patient)}/$record-disclosure`, { ...disclosed, ...over }, as);

  const disclosures = async ({ patient }: Chart, as: TestCaller) =>
    (await allPages(server, `${pathOf(patient)}/$disclosures`, as)).flatMap(resourcesIn);

  const logOf = async ({ patient }: Chart, as: TestCaller) =>
    (await allPages(server, `AuditEvent?patient=${patient.id}`, as)).flatMap(resourcesIn);

  return { table, server, chart, share, followStream, post, record, disclosures, logOf };
};
