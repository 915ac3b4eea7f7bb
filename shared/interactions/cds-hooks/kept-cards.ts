import { randomUUID } from 'node:crypto';
import type { Hook } from '../../cds-hooks/services.ts';
import { RecordError } from '../../errors.ts';
import type { Finding } from '../../order-checks/findings.ts';
import { hashed } from '../../store/index-rows.ts';
import { requestKey } from '../../store/keys.ts';
import { readRequestKey, requestKeyRow } from '../../store/request-keys.ts';
import type { RequestContext } from '../context.ts';
import { save } from '../save.ts';

type Context = Omit<RequestContext, 'recordType'>;

/** What a card was about, as long as feedback on it may come: a day. */
export interface KeptCard {
  readonly uuid: string;
  /** Undefined for one that tells what was not checked. */
  readonly clash?: {
    readonly finding: Finding;
    /** `Type/id` of records that are stored: what it speaks against, and what that clashes with. */
    readonly implicated: readonly string[];
    readonly security: readonly fhir4.Coding[];
  };
}

export interface KeptCards {
  /** Id of the patient whom the hook named. */
  readonly patient: string;
  readonly cards: readonly KeptCard[];
}

/** Cards of one answer have one name and a number each, so that one row keeps them all. */
const stemOf = (uuid: string): string => uuid.slice(0, -4);
const suggestionsFrom = 0x80_00;

/** Names for the cards of an answer, and for the suggestion of each. */
export const cardNames = () => {
  const stem = stemOf(randomUUID());
  const name = (number: number) => `${stem}${number.toString(16).padStart(4, '0')}`;
  return (card: number) => ({ card: name(card), suggestion: name(suggestionsFrom + card) });
};

/** The suggestion of a card. */
export const suggestionOf = (card: string): string =>
  `${stemOf(card)}${(suggestionsFrom + Number.parseInt(card.slice(-4), 16)).toString(16)}`;

const keyOf = ({ store }: Context, hook: Hook, uuid: string) =>
  requestKey(hashed(store, `cards|${hook}|${stemOf(uuid)}`));
const ownerOf = ({ store, asking: { caller } }: Context): string =>
  hashed(store, `cards of|${caller.subject}|${caller.organization}`);

/** Keeps what an answer was about, before it leaves. */
export const keepCards = async (context: Context, hook: Hook, kept: KeptCards): Promise<void> => {
  const [first] = kept.cards;
  if (!first) return;
  const valueString = JSON.stringify(kept);
  const row = requestKeyRow(
    keyOf(context, hook, first.uuid),
    {
      request: ownerOf(context),
      answers: [
        { statusCode: 200, resource: { resourceType: 'Parameters', parameter: [{ name: 'cards', valueString }] } },
      ],
    },
    context.now,
  );
  await save({ ...context, once: { rowFor: () => row, kept: false } }, []);
};

/**
 * What a card was about, for who got it.
 *
 * @throws RecordError `not-found` for a card that is not known, no more, or that somebody else got.
 */
export const keptCards = async (
  context: Context,
  hook: Hook,
  uuid: string,
): Promise<KeptCards & { card: KeptCard }> => {
  const row = await readRequestKey(context.store, keyOf(context, hook, uuid), context.now);
  if (row && row !== 'under way' && row.request === ownerOf(context)) {
    const { parameter = [] } = (row.answers[0]?.resource ?? {}) as fhir4.Parameters;
    const kept = JSON.parse(parameter[0]?.valueString ?? '{"cards":[]}') as KeptCards;
    const card = kept.cards.find((each) => each.uuid === uuid);
    if (card) return { ...kept, card };
  }
  throw new RecordError('not-found', 'There is no such card', { expression: 'feedback.card' });
};
