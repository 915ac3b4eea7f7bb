import { base, type FhirServer, type TestResponse } from './fhir-server.ts';
import { admin, create, system } from './records.ts';

/** Systems of identifiers of the sender that tests speak as. */
export const numbers = {
  patient: 'urn:test:mrn',
  visit: 'urn:test:visit',
  order: 'urn:test:order',
  appointment: 'urn:test:appointment',
  person: 'urn:test:staff',
};

const extension = (url: string, parts: Readonly<Record<string, Omit<fhir4.Extension, 'url'>>>): fhir4.Extension => ({
  url,
  extension: Object.entries(parts).map(([part, value]) => ({ url: part, ...value })),
});

/** How the messages of `APP|FAC` are read. */
export const senderEndpoint = (elements: Partial<fhir4.Endpoint> = {}): fhir4.Endpoint => ({
  resourceType: 'Endpoint',
  status: 'active',
  identifier: [{ system: 'https://concord.example/fhir/sid/hl7-v2-sender', value: 'APP|FAC' }],
  connectionType: { system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type', code: 'hl7v2-mllp' },
  payloadType: [{ text: 'HL7 v2' }],
  address: 'https://sender.example',
  extension: [
    {
      url: 'https://concord.example/fhir/StructureDefinition/hl7-v2-sender',
      extension: [
        { url: 'timezone', valueCode: 'America/New_York' },
        extension('authority', {
          code: { valueString: 'HOSP' },
          system: { valueUri: numbers.patient },
          patient: { valueBoolean: true },
        }),
        ...(
          [
            ['visit', numbers.visit],
            ['placer', numbers.order],
            ['filler', `${numbers.order}:filler`],
            ['appointment', numbers.appointment],
            ['person', numbers.person],
          ] as const
        ).map(([of, uri]) => extension('number', { of: { valueCode: of }, system: { valueUri: uri } })),
        extension('code-system', { name: { valueString: 'LOCAL' }, system: { valueUri: 'urn:test:codes' } }),
      ],
    },
  ],
  ...elements,
});

/** Lets the sender be known. */
export const registerSender = (server: FhirServer): Promise<unknown> => create(server, senderEndpoint(), admin);

let controlIds = 0;

/** A message of `APP|FAC`. @param said - of MSH: its type, when it was sent, its control id. */
export const message = (
  type: string,
  segments: readonly string[],
  {
    at = '20260301120000',
    id = `C${++controlIds}`,
    version = '2.5.1',
  }: { at?: string; id?: string; version?: string } = {},
): string =>
  [`MSH|^~\\&|APP|FAC|CONCORD|NORTH|${at}||${type}|${id}|P|${version}`, ...segments]
    .map((segment) => `${segment}\r`)
    .join('');

/** Sends it. */
export const send = (
  server: FhirServer,
  text: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<TestResponse> =>
  server.post(`${base.replace('/fhir', '')}/hl7/v2`, text, {
    as: system,
    headers: { 'content-type': 'x-application/hl7-v2+er7', ...headers },
  });

/** What it was answered: the code of MSA-1, and codes and severities of its ERR segments. */
export const verdictOf = ({ text }: TestResponse): string[] => {
  const segments = text.split('\r').map((segment) => segment.split('|'));
  return segments.flatMap(([name, ...fields]) =>
    name === 'MSA'
      ? [fields[0] ?? '']
      : name === 'ERR'
        ? [`${fields[3]} ${(fields[2] ?? '').split('^')[0]} ${fields[1]}`]
        : [],
  );
};
