import { inParallel } from '../../shared/store/in-parallel.ts';
import { accessToken } from './callers.ts';
import type { FhirServer } from './fhir-server.ts';
import { numbers, senderEndpoint } from './hl7-v2.ts';
import { create, resourcesIn } from './records.ts';

/** What a run of messages comes to in an organisation of its own. */
export interface Run {
  /** Answers that were neither AA nor expected, and those by which something waits that no replay files. */
  readonly refused: readonly string[];
  /** Messages that waited for a while. */
  readonly waited: number;
  /** Tasks of messages that still wait. */
  readonly waiting: readonly string[];
  /** Charts by the number of their patient, as they can be compared. */
  readonly charts: ReadonlyMap<string, readonly string[]>;
}

/**
 * Sends messages in this order, replays what waits until nothing more is filed, and reads the charts of these patients.
 *
 * @param senders - who send at once, each the next message that is left; what is answered 409 is sent again, as a sender does.
 */
export const chartsAfter = async (
  server: FhirServer,
  organization: string,
  messages: readonly string[],
  patients: readonly string[],
  senders = 1,
): Promise<Run> => {
  const system = { role: 'system', organization };
  const token = await accessToken(system);
  await create(server, senderEndpoint(), { role: 'admin', organization });
  const post = (path: string, body: string, type: string) =>
    server.post(`https://concord.test/hl7/v2${path}`, body, { token, headers: { 'content-type': type } });
  const refused: string[] = [];
  const waiting = new Set<string>();
  await inParallel(senders, messages, async (message) => {
    let answer = await post('', message, 'application/hl7-v2');
    while (answer.status === 409) answer = await post('', message, 'application/hl7-v2');
    const { status, text } = answer;
    const tasks = [...text.matchAll(/Task\/([\w.-]+)/g)].map(([, task = '']) => task);
    const isFiled = /\rMSA\|AA\|/.test(text) && (tasks.length > 0 || !/\rERR\|[^\r]*\|W\|/.test(text));
    if (status !== 200 || !isFiled) refused.push(`${status} ${text}`);
    for (const task of tasks) waiting.add(task);
  });
  const waited = waiting.size;
  for (let filed = 1; filed > 0; ) {
    filed = 0;
    for (const task of waiting) {
      const { body } = await post(`/waiting/${task}/$replay`, '', 'application/fhir+json');
      for (const { part = [] } of (body as unknown as fhir4.Parameters).parameter ?? []) {
        const value = (name: string) => part.find((each) => each.name === name);
        if (value('outcome')?.valueCode !== 'filed') continue;
        filed += 1;
        waiting.delete(String(value('task')?.valueReference?.reference?.slice('Task/'.length)));
      }
    }
  }
  const charts = new Map<string, readonly string[]>();
  for (const number of patients) charts.set(number, await chartOf(server, token, number));
  return { refused, waited, waiting: [...waiting], charts };
};

/** What the server itself keeps of when it heard of something, and what it asks people to do, depends on the order. */
const ofServer: ReadonlySet<string> = new Set(['id', 'meta', 'text', 'statusHistory', 'classHistory']);

const chartOf = async (server: FhirServer, token: string, number: string): Promise<string[]> => {
  const found = await server.get(`Patient?identifier=${numbers.patient}|${number}`, { token });
  const patients = resourcesIn(found.body).filter(({ resourceType }) => resourceType === 'Patient');
  const own = patients.length === 1 ? String(patients[0]?.['id']) : undefined;
  if (own === undefined) return [`${patients.length} patients`];
  const records: fhir4.Resource[] = [];
  for (let path: string | undefined = `Patient/${own}/$everything?_count=200`; path !== undefined; ) {
    const { body } = await server.get(path, { token });
    records.push(...resourcesIn(body).map((resource) => resource as unknown as fhir4.Resource));
    path = (body as unknown as fhir4.Bundle).link?.find(({ relation }) => relation === 'next')?.url;
  }
  const nameOf = new Map(records.map((record) => [`${record.resourceType}/${record.id}`, numberIn(record)]));
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value === 'string') return nameOf.get(value) ?? value;
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name, member]) => !ofServer.has(name) && !isStatusHistory(name, member))
        .map(([name, member]) => [name, plain(name === 'extension' ? withoutHistory(member) : member)] as const)
        .sort(([one], [other]) => (one < other ? -1 : 1)),
    );
  };
  return records
    .filter(({ resourceType }) => resourceType !== 'Task' && resourceType !== 'OperationOutcome')
    .map((record) => JSON.stringify(plain(record)))
    .sort();
};

const isStatusHistory = (name: string, member: unknown): boolean =>
  name === 'extension' && (withoutHistory(member) as unknown[]).length === 0;

const withoutHistory = (member: unknown): unknown =>
  (member as fhir4.Extension[]).filter(({ url }) => !url.endsWith('/status-history'));

const numberIn = (record: fhir4.Resource): string => {
  const [identifier] = (record as { identifier?: fhir4.Identifier[] }).identifier ?? [];
  return `${record.resourceType} ${identifier?.value}`;
};
