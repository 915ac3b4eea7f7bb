import { withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';

// R4 knows when a message was received and not by whom. So who of its recipients has read it stands in extensions of the message, which the server alone writes.

/** That somebody has read a message: `reader`, `recipient` and `time`. */
export const receiptUrl = 'https://concord.example/fhir/StructureDefinition/read-receipt';

/** That somebody has read a message. */
export interface Receipt {
  /** `Type/id` of who has read it. */
  readonly reader: string;
  /** `Type/id` of the recipient as whom, or for whom. */
  readonly recipient: string;
}

const isReceipt = ({ url }: fhir4.Extension): boolean => url === receiptUrl;

const extensionsOf = (message: Resource | undefined): fhir4.Extension[] =>
  (message?.['extension'] as fhir4.Extension[] | undefined) ?? [];

/** Who has read a message. */
export const receiptsOf = (message: Resource | undefined): readonly Receipt[] =>
  extensionsOf(message)
    .filter(isReceipt)
    .map(({ extension = [] }) => {
      const named = (name: string) => extension.find(({ url }) => url === name)?.valueReference?.reference ?? '';
      return { reader: named('reader'), recipient: named('recipient') };
    });

/** A message that these have read, too; it was received when the first of all did, where nobody has said when. */
export const withReceipts = (message: Resource, receipts: readonly Receipt[], now: number): Resource => {
  const time = new Date(now).toISOString();
  const added = receipts.map(({ reader, recipient }) => ({
    url: receiptUrl,
    extension: [
      { url: 'reader', valueReference: { reference: reader } },
      { url: 'recipient', valueReference: { reference: recipient } },
      { url: 'time', valueInstant: time },
    ],
  }));
  const { received = time } = message as unknown as fhir4.Communication;
  return withSpellingOf({ ...message, received, extension: [...extensionsOf(message), ...added] } as Resource, message);
};
