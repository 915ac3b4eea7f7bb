/** A child of the demo, and the record of who acts for it. */
export interface DemoProxy {
  /** Id of the child's record. */
  readonly child: string;
  /** Reference to the RelatedPerson. */
  readonly person: string;
}

const identifier = { system: 'https://northside.example/relatives', value: 'demo-parent' };

/** Old enough that nobody is born in the demo's days, and young enough not to come of age within them. */
const years = { youngest: 1, oldest: 16 };

/**
 * Records a parent of a child of the demo, and the right to act for it, unless they are there: through the API, as the front desk does it.
 *
 * @param tokenOf - an access token of a user of Northside.
 * @throws Error with the server's own words if it refuses, or if no patient of the demo is a child.
 */
export const seedProxy = async (
  baseUrl: string,
  tokenOf: (role: 'frontdesk') => Promise<string>,
): Promise<DemoProxy> => {
  const authorization = `Bearer ${await tokenOf('frontdesk')}`;
  const call = async <T>(path: string, body?: fhir4.FhirResource): Promise<T> => {
    const response = await fetch(`${baseUrl}/${path}`, {
      headers: { authorization, 'content-type': 'application/fhir+json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The parent of the demo cannot be recorded (${response.status}): ${text}`);
    return JSON.parse(text) as T;
  };
  const first = async <T extends fhir4.FhirResource>(path: string): Promise<T | undefined> =>
    (await call<fhir4.Bundle>(path)).entry?.find(({ search }) => search?.mode === 'match')?.resource as T | undefined;
  const ofAge = (age: number) => new Date(Date.now() - age * 31_557_600_000).toISOString().slice(0, 10);

  const token = encodeURIComponent(`${identifier.system}|${identifier.value}`);
  const known = await first<fhir4.RelatedPerson>(`RelatedPerson?identifier=${token}`);
  const recorded = known?.patient.reference?.split('/')[1];
  const child =
    recorded ??
    (
      await first<fhir4.Patient>(
        `Patient?birthdate=gt${ofAge(years.oldest)}&birthdate=lt${ofAge(years.youngest)}&deceased=false&_count=1&_sort=_id`,
      )
    )?.id;
  if (child === undefined) throw new Error('No patient of the demo is a child');
  const relative =
    known ??
    (await call<fhir4.RelatedPerson>('RelatedPerson', {
      resourceType: 'RelatedPerson',
      identifier: [identifier],
      active: true,
      patient: { reference: `Patient/${child}` },
      relationship: [
        { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'PRN', display: 'parent' }] },
      ],
      name: [{ family: 'Sample', given: ['Robin'] }],
    }));
  const person = `RelatedPerson/${relative.id}`;
  // A crash may come between the two; what is recorded again says the same.
  await call(`Patient/${child}/$grant-proxy`, {
    resourceType: 'Parameters',
    parameter: [
      { name: 'proxy', valueReference: { reference: person } },
      { name: 'basis', valueCode: 'parent' },
      { name: 'rights', valueCode: 'act' },
      { name: 'evidence', valueString: 'Birth certificate and identity card, seen by the front desk' },
    ],
  });
  return { child, person };
};
