import { isScoped } from '../../access/rules/scope.ts';
import { isSupport } from '../../access/support.ts';
import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { presented, type StoredRecord } from '../../store/rows.ts';
import { isTold, recipientsOf, wasReadElsewhere } from '../../work/message-lists.ts';
import { receiptsOf, withReceipts } from '../../work/receipts.ts';
import { answerTo, ofVersion } from '../answers.ts';
import type { Answer, Interaction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';

import { notFound, requireReadable, requireTypeAccess } from '../require-access.ts';
import { save } from '../save.ts';
import { requireVersion, requireWritable } from '../update.ts';
import { requireAlone } from '../uploading/alone.ts';
import { belongsTo, positionsOf } from '../work/memberships.ts';
import { planMarked } from './plan-marked.ts';
import { shownOf } from './shown-of.ts';

/** Several may read a message at the same moment: that is no reason to refuse it. */
const attempts = 3;

/**
 * `POST Communication/{id}/$read`: says that the caller has read a message that is to the caller, or to whom the caller acts for: a patient, a position, a team, the organisation, to which also is what names nobody.
 * Who says so again, or of what was read elsewhere, is answered with the message as it is. One read, one transaction; one call more for positions, and for each team and position that is named.
 *
 * @throws RecordError `not-found`; `forbidden` (`not-a-recipient`) to who may see it and is none of its recipients; `business-rule` (`not-sent`) for what is not there to be read.
 */
export const markRead: Interaction = async (context, { id }): Promise<Answer> => {
  requireAlone(context);
  requireReader(context);
  readInput(context, {});
  const { asking, now, store } = context;
  const reader = asking.caller.fhirUser;
  for (let attempt = 1; ; attempt++) {
    const current = await messageToRead(context, id);
    const { resource } = current;
    const asWhom = await recipientsAmong(context, current);
    if (asWhom.length === 0)
      throw new RecordError('forbidden', 'This message is to others', {
        reason: 'not-a-recipient',
        expression: 'Communication.recipient',
      });
    if (!isTold(resource as unknown as fhir4.Communication))
      throw new RecordError('business-rule', 'A message that was not sent, or was withdrawn, is not read', {
        reason: 'not-sent',
        expression: 'Communication.status',
      });
    const isElsewhere = wasReadElsewhere(resource as unknown as fhir4.Communication);
    const known = receiptsOf(resource).filter((receipt) => receipt.reader === reader);
    const added = asWhom.filter((recipient) => !known.some((receipt) => receipt.recipient === recipient));
    if (isElsewhere || added.length === 0)
      return {
        statusCode: 200,
        resource: presented(context.view.of(shownOf(context, current))),
        ...ofVersion(current),
      };
    const read = withReceipts(
      resource,
      added.map((recipient) => ({ reader, recipient })),
      now,
    );
    const own = { ...context, store: store.whole };
    const plan = await planMarked(own, current, read);
    try {
      await save(own, [plan]);
      return answerTo(context, { ...plan, next: shownOf(context, plan.next) });
    } catch (error) {
      const again = error instanceof RecordError && error.reason === 'concurrent-change' && attempt < attempts;
      if (!again) throw error;
    }
  }
};

/** Support staff, who change no message, may say that they have read one. */
const requireReader = (context: RequestContext): void => {
  const { caller } = context.asking;
  if (!isSupport(caller)) return requireTypeAccess(context, 'u');
  if (!isScoped(caller, 'u', 'Communication'))
    throw new RecordError('forbidden', 'No scope of the access token covers this for Communication', {
      reason: 'forbidden-scope',
    });
  requireTypeAccess(context, 'r');
};

const messageToRead = async (
  context: RequestContext,
  id: string,
): Promise<StoredRecord & { readonly resource: Resource }> => {
  const { asking, audit, sharing, store } = context;
  const address = await locate(context, 'Communication', id);
  if (!address) throw notFound(context);
  const name = `Communication/${id}`;
  const found = await audit.traced(
    { interaction: 'operation', chart: address.chart, what: [name], query: `${name}/$read` },
    async () => {
      const read = await store.whole.read(address);
      await sharing.lookUp([read ?? address]);
      return read;
    },
    (read) => void requireReadable(context, read),
  );
  const current = requireReadable(context, found);
  if (!isSupport(asking.caller)) await requireWritable(context, current, 'u');
  requireVersion(context, current);
  return current as StoredRecord & { readonly resource: Resource };
};

/** Those of the recipients of a message for whom the caller reads it. */
const recipientsAmong = async (
  context: RequestContext,
  { resource, custodian }: StoredRecord,
): Promise<readonly string[]> => {
  const { fhirUser, organization, patient } = context.asking.caller;
  const named = recipientsOf(resource as unknown as fhir4.Communication);
  const recipients = named.length === 0 ? [`Organization/${custodian}`] : named;
  const own = new Set([
    fhirUser,
    ...(organization === undefined ? [`Patient/${patient}`] : [`Organization/${organization}`]),
  ]);
  if (organization !== undefined && recipients.some((name) => name.startsWith('PractitionerRole/')))
    for (const position of await positionsOf(context, fhirUser)) own.add(position);
  const whole = { ...context, store: context.store.whole };
  const among = recipients.map(
    async (name) =>
      own.has(name) || (organization !== undefined && name.startsWith('CareTeam/') && belongsTo(whole, name)),
  );
  const are = await Promise.all(among);
  return recipients.filter((_, index) => are[index]);
};
