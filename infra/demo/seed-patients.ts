import { type OrganizationId, organizations } from '../local/users.ts';
import { type DemoPatient, demoPatients } from './demo-patients.ts';

/** What there is of the demo after it was asked for. */
export type Demo =
  /** Id of the patient who can sign in. */
  | { readonly patient: string }
  /** Nothing was written: somebody else's patients are in the store. */
  | { readonly patient: undefined };

/** How many questions are asked at a time. */
const atOnce = 4;

/**
 * Writes the demo patients that are not there yet, through the API as the application of their organisation: one transaction a chart, so a
 * crash leaves whole charts, and the next call adds the others. A store that has patients but none of the demo's is left alone.
 *
 * @param baseUrl - of the running server, such as `http://localhost:3000/fhir`.
 * @param tokenOf - an access token of an organisation's application.
 * @param now - milliseconds since 1970; the charts lead up to it.
 * @throws Error with the server's own words if it refuses.
 */
export const seedPatients = async (
  baseUrl: string,
  tokenOf: (organization: OrganizationId) => Promise<string>,
  now: number,
): Promise<Demo> => {
  const charts = organizations.flatMap(({ id }) =>
    demoPatients(id, now).map((patient) => ({ ...patient, organization: id })),
  );
  const call = async (organization: OrganizationId, path: string, body?: fhir4.Bundle): Promise<fhir4.Bundle> => {
    const response = await fetch(`${baseUrl}${path}`, {
      headers: { authorization: `Bearer ${await tokenOf(organization)}`, 'content-type': 'application/fhir+json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The demo patients cannot be written (${response.status}): ${text}`);
    return JSON.parse(text) as fhir4.Bundle;
  };
  const idOf = async (organization: OrganizationId, { identifier }: DemoPatient): Promise<string | undefined> => {
    const found = await call(organization, `/Patient?identifier=${encodeURIComponent(identifier)}`);
    return patientIn(found)?.id;
  };

  const known = await inTurns(charts, (patient) => idOf(patient.organization, patient));
  if (known.every((id) => id === undefined)) {
    const others = await inTurns(organizations, ({ id }) => call(id, '/Patient?_count=1'));
    if (others.some((found) => patientIn(found) !== undefined)) return { patient: undefined };
  }
  const missing = charts.filter((_, index) => known[index] === undefined);
  // The charts of an organisation one after the other: their appointments are on the same days of the same people.
  await inTurns(organizations, async ({ id }) => {
    for (const { organization, chart } of missing) if (organization === id) await call(id, '', chart);
  });
  const ownRecord = charts.find(({ organization, isAlive }) => organization === 'northside' && isAlive);
  return { patient: ownRecord && (await idOf(ownRecord.organization, ownRecord)) };
};

/** The first patient of a searchset, which may hold remarks about the search too. */
const patientIn = ({ entry = [] }: fhir4.Bundle): fhir4.Resource | undefined =>
  entry.map(({ resource }) => resource).find((resource) => resource?.resourceType === 'Patient');

/** Works through a list, a few members at a time; the answers are in the order of the list. */
const inTurns = async <T, R>(members: readonly T[], work: (member: T, index: number) => Promise<R>): Promise<R[]> => {
  const answers: R[] = [];
  const open = members.entries();
  const worker = async () => {
    for (const [index, member] of open) answers[index] = await work(member, index);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return answers;
};
