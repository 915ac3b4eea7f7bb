import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import type { RequestContext } from '../context.ts';

const decisions = ['continue', 'change', 'stop', 'hold', 'not-taking'] as const;

/** What somebody decides on a medicine. */
export type Decision = (typeof decisions)[number];

export interface Decided {
  readonly decision: Decision;
  readonly reason: string | undefined;
}

export const reconciliation = 'https://concord.example/fhir/CodeSystem/reconciliation';

/**
 * The decisions of a List, by `Type/id` of what they are about.
 *
 * @throws RecordError `invalid` naming the entry: without a decision, with a second one, or without the reason that all need but `continue`.
 */
export const decisionsIn = (context: RequestContext, list: fhir4.List): ReadonlyMap<string, Decided> => {
  const found = new Map<string, Decided>();
  for (const [index, { item, flag }] of (list.entry ?? []).entries()) {
    const expression = `List.entry[${index}]`;
    const refused = (message: string) => new RecordError('invalid', message, { expression });
    const named = parseReference(item.reference ?? '', context.request.baseUrl);
    if (named.kind !== 'record') throw refused('An entry names a record of this server');
    const name = `${named.type}/${named.id}`;
    if (found.has(name)) throw refused('One decision is made on each record');
    const code = flag?.coding?.find(({ system }) => system === reconciliation)?.code;
    const decision = decisions.find((each) => each === code);
    if (!decision) throw refused(`The flag has one of these codes of ${reconciliation}: ${decisions.join(', ')}`);
    const reason = flag?.text?.trim() || undefined;
    if (decision !== 'continue' && reason === undefined) throw refused('The text of the flag says why');
    found.set(name, { decision, reason });
  }
  return found;
};
