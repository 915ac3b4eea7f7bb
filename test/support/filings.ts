import type { TestBody } from './fhir-server.ts';

// Reports as laboratories send them.

const numberTypes = 'http://terminology.hl7.org/CodeSystem/v2-0203';
/** A number of the laboratory, or of whoever ordered. */
export const numbered = (code: 'FILL' | 'PLAC', value: string): fhir4.Identifier => ({
  type: { coding: [{ system: numberTypes, code }] },
  system: `http://concord.test/${code === 'FILL' ? 'filler' : 'placer'}`,
  value,
});

let count = 0;
/** A number that no other report of the file bears. */
export const fillerNumber = () => `L-${++count}`;

/** A message of a laboratory, in short. */
export interface Sent {
  readonly filler: string;
  readonly placer?: string;
  readonly status?: fhir4.DiagnosticReport['status'];
  readonly issued?: string | undefined;
  /** Values by code. */
  readonly values?: Readonly<Record<string, number>>;
  readonly resultStatus?: fhir4.Observation['status'];
  readonly about?: { subject?: fhir4.Reference; patient?: fhir4.Patient };
  readonly elements?: Partial<fhir4.DiagnosticReport>;
  readonly result?: Partial<fhir4.Observation>;
  readonly specimen?: fhir4.Specimen;
}

const taken = '2026-11-20T08:00:00Z';
/** What `$file` takes of it. */
export const filingOf = ({
  filler,
  placer,
  status = 'final',
  values = { '2823-3': 4.1 },
  resultStatus = status === 'final' ? 'final' : 'preliminary',
  about = {},
  elements = {},
  result = {},
  specimen,
  ...times
}: Sent): fhir4.Parameters => ({
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'report',
      resource: {
        resourceType: 'DiagnosticReport',
        status,
        code: { coding: [{ system: 'http://loinc.org', code: '24323-8' }] },
        identifier: [numbered('FILL', filler), ...(placer === undefined ? [] : [numbered('PLAC', placer)])],
        effectiveDateTime: taken,
        ...('issued' in times ? {} : { issued: '2026-11-20T10:00:00Z' }),
        ...(times.issued === undefined ? {} : { issued: times.issued }),
        ...(about.subject ? { subject: about.subject } : {}),
        ...elements,
      },
    },
    ...Object.entries(values).map(([code, value]) => ({
      name: 'result',
      resource: {
        resourceType: 'Observation' as const,
        status: resultStatus,
        code: { coding: [{ system: 'http://loinc.org', code }] },
        effectiveDateTime: taken,
        valueQuantity: { value, unit: 'mmol/L' },
        ...result,
      },
    })),
    ...(specimen ? [{ name: 'specimen', resource: specimen }] : []),
    ...(about.patient ? [{ name: 'patient', resource: about.patient }] : []),
  ],
});

/** What `$file` answers. */
export const told = (body: TestBody) => {
  const { parameter = [] } = body as unknown as fhir4.Parameters;
  const found = (name: string) => parameter.find((each) => each.name === name);
  return {
    outcome: found('outcome')?.valueCode,
    report: found('report')?.valueReference?.reference ?? '',
    order: found('order')?.valueReference?.reference,
    reason: found('reason')?.valueCode,
  };
};
