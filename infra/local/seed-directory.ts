import { directoryOf } from './directory.ts';
import { type OrganizationId, organizations } from './users.ts';

/**
 * Writes the directory of each organisation that is not there yet, through the API like anybody else: one transaction each,
 * so a crash leaves all of it or nothing.
 *
 * @param baseUrl - of the running server, such as `http://localhost:3000/fhir`.
 * @param tokenOf - an access token of an organisation's application.
 * @throws Error with the server's own words if it refuses.
 */
export const seedDirectory = async (
  baseUrl: string,
  tokenOf: (organization: OrganizationId) => Promise<string>,
): Promise<void> => {
  for (const { id } of organizations) {
    const headers = { authorization: `Bearer ${await tokenOf(id)}`, 'content-type': 'application/fhir+json' };
    const found = await fetch(`${baseUrl}/Organization/${id}`, { headers });
    const text = await found.text();
    if (found.status === 200) continue;
    if (found.status !== 404) throw refused('The directory cannot be read', found.status, text);
    const written = await fetch(baseUrl, { method: 'POST', headers, body: JSON.stringify(transaction(id)) });
    const answer = await written.text();
    if (!written.ok) throw refused('The directory cannot be written', written.status, answer);
  }
};

const transaction = (organization: OrganizationId): fhir4.Bundle => ({
  resourceType: 'Bundle',
  type: 'transaction',
  entry: directoryOf(organization).map((resource) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  })),
});

const refused = (what: string, status: number, answer: string) => new Error(`${what} (${status}): ${answer}`);
