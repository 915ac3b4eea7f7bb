import { type Message } from '../../hl7-v2/message.ts';
import { type Sender, senderIn, senderName, senderSystem } from '../../hl7-v2/sender.ts';
import { Unfit } from '../../hl7-v2/unfit.ts';
import { conditionalMatch } from '../conditional-match.ts';
import { byIdentifier, contextOf, type FilingContext } from './typed.ts';

/**
 * How the messages of a sender are read: by the Endpoint of the caller's own organisation that bears its name.
 *
 * @throws Unfit `sender-unknown` if there is none, or the caller's application may not send for it; `sender-configuration`.
 */
export const senderOf = async (context: FilingContext, message: Message): Promise<Sender> => {
  const name = senderName(message.part('MSH', 3), message.part('MSH', 4));
  const unknown = () => new Unfit('sender-unknown', 'Nobody has said how messages of this sender are read', 'MSH-3');
  const { caller } = context.asking;
  const { matches } = await conditionalMatch(
    contextOf(context, 'Endpoint'),
    byIdentifier({ system: senderSystem, value: name }),
    'identifier',
    10,
  );
  // Anybody may read the directory; what other organisations say of a sender of the same name counts for nothing.
  const [own, ...others] = matches.filter(({ custodian }) => custodian === caller.organization);
  const endpoint = own?.resource as fhir4.Endpoint | undefined;
  if (!endpoint || endpoint.status !== 'active') throw unknown();
  if (others.length > 0) throw new Unfit('sender-configuration', 'Several Endpoints describe this sender', 'MSH-3');
  const sender = senderIn(endpoint, name);
  if (sender.clients.length > 0 && !sender.clients.includes(caller.client)) throw unknown();
  return sender;
};
