import type { Header } from './acknowledgement.ts';
import { served } from './mapping/messages.ts';
import type { Message } from './message.ts';
import type { Sender } from './sender.ts';
import { Unfit } from './unfit.ts';

/** What the header of a message says, for its answer. Raw texts that could break the answer's own segments are left out of it. */
export const headerOf = (message: Message): Header => {
  const part = (field: number, component = 1) => message.part('MSH', field, component);
  const plain = (text: string) => text.replace(/[|^~\\&\r\n]/g, ' ').slice(0, 200);
  return {
    sendingApplication: plain(part(3)),
    sendingFacility: plain(part(4)),
    receivingApplication: plain(part(5)),
    receivingFacility: plain(part(6)),
    event: plain(part(9, 2)),
    controlId: part(10).slice(0, 199),
    processing: plain(part(11)) || 'P',
    version: plain(part(12)) || '2.5.1',
  };
};

/** Versions of HL7 whose messages are read. */
export const servedVersions = ['2.3', '2.3.1', '2.4', '2.5', '2.5.1', '2.6', '2.7', '2.7.1', '2.8', '2.8.1', '2.8.2'];

/**
 * Requires that a message is one that is taken at all.
 *
 * @returns its event.
 * @throws Unfit, whose reason rejects it.
 */
export const requireServed = (message: Message): string => {
  const [type, event, version, controlId] = [
    message.part('MSH', 9),
    message.part('MSH', 9, 2),
    message.part('MSH', 12),
    message.part('MSH', 10),
  ];
  if (controlId === '' || controlId.length > 199) throw new Unfit('header', 'A message has a control id', 'MSH-10');
  if (!servedVersions.includes(version)) throw new Unfit('version', 'This version of HL7 is not taken', 'MSH-12');
  const events = Object.hasOwn(served, type) ? served[type] : undefined;
  if (!events) throw new Unfit('message-type', 'Messages of this type are not taken', 'MSH-9');
  if (!events.includes(event)) throw new Unfit('event', 'Messages of this event are not taken', 'MSH-9');
  return event;
};

/**
 * Requires that a sender may send such a message.
 *
 * @throws Unfit, whose reason rejects it.
 */
export const requireMaySend = ({ versions, processing }: Sender, message: Message): void => {
  if (versions.length > 0 && !versions.includes(message.part('MSH', 12)))
    throw new Unfit('version', 'This sender is not expected to send this version', 'MSH-12');
  if (!processing.includes(message.part('MSH', 11) || 'P'))
    throw new Unfit('processing-id', 'This sender is not expected to send such messages', 'MSH-11');
};
