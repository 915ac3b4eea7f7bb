import { parseReference } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';

// Messages that answer one another are a thread. It is named by the message that began it, of which each of the others says that it is a part, before it says anything else
// of this kind. So a thread is found by one reference. https://hl7.org/fhir/R4/communication-definitions.html#Communication.partOf

/** `Communication/id` of the messages of this server that a list of references names. It may be anything: what clients send is judged elsewhere. */
const messagesIn = (list: unknown, baseUrl: string): string[] =>
  (Array.isArray(list) ? list : []).flatMap((each: Partial<fhir4.Reference> | null) => {
    const parsed = typeof each?.reference === 'string' ? parseReference(each.reference, baseUrl) : undefined;
    return parsed?.kind === 'record' && parsed.type === 'Communication' ? [`Communication/${parsed.id}`] : [];
  });

/** `Communication/id` of the messages that this one answers. */
export const answersIn = ({ inResponseTo }: Resource, baseUrl: string): readonly string[] =>
  messagesIn(inResponseTo, baseUrl);

/** `Communication/id` of the message whose thread an answer goes on: the first that it names. */
export const answeredIn = (message: Resource, baseUrl: string): string | undefined => answersIn(message, baseUrl)[0];

type Saying = (name: string) => Resource | undefined;

/** Where messages lead to, by what one transaction says: each of a long thread is followed once, whichever of them is asked. */
const ends = new WeakMap<Saying, Map<string, string>>();

/**
 * `Communication/id` of what a message answers in the end, as far as the same transaction writes what is between: the message that begins it all, or the first that the transaction does not write.
 *
 * @param saying - what the transaction is to say of a record, the same function for all that it writes.
 */
export const answeredInEnd = (saying: Saying, parent: string, baseUrl: string): string => {
  const known = ends.get(saying) ?? new Map<string, string>();
  ends.set(saying, known);
  const passed = new Set<string>();
  let name = parent;
  while (!known.has(name)) {
    passed.add(name);
    const said = saying(name);
    const next = said && answeredIn(said, baseUrl);
    if (next === undefined || passed.has(next)) break;
    name = next;
  }
  const end = known.get(name) ?? name;
  for (const each of passed) known.set(each, end);
  return end;
};

/** `Communication/id` of the message that began the thread to which an answer belongs; undefined for what is no answer, which may begin one. */
export const threadOf = (message: Resource, baseUrl: string): string | undefined =>
  answeredIn(message, baseUrl) === undefined ? undefined : messagesIn(message.partOf, baseUrl)[0];

/** An answer that says to which thread it belongs, and no more that it belongs to another one. */
export const inThread = (message: Resource, thread: string, earlier: string | undefined, baseUrl: string): Resource => {
  const { partOf = [] } = message as unknown as fhir4.Communication;
  const others = partOf.filter((each) =>
    messagesIn([each], baseUrl).every((name) => name !== thread && name !== earlier),
  );
  return { ...message, partOf: [{ reference: thread }, ...others] } as unknown as Resource;
};
