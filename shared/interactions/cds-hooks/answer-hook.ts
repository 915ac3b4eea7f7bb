import { noRedisclosure } from '../../access/labels.ts';
import { type Card, cardOf, notCheckedCard } from '../../cds-hooks/cards.ts';
import { parseHookRequest } from '../../cds-hooks/hook-request.ts';
import type { Hook } from '../../cds-hooks/services.ts';
import type { Resource } from '../../fhir/resource.ts';
import { notChecked } from '../../order-checks/words.ts';
import type { RequestContext } from '../context.ts';
import { type ChartFacts, chartFacts, withMedications } from '../order-checks/facts.ts';
import { knowledge } from '../order-checks/knowledge-in-use.ts';
import { labelsOfFinding } from '../order-checks/labels-of-finding.ts';
import { lookAtPatient, requireAsker } from './asker.ts';
import { type Clash, type Compared, comparedInChart, comparedOrders, nameOf } from './compare.ts';
import { asChecked, draftsIn, inForce, requireSamePatient } from './drafts.ts';
import { cardNames, type KeptCard, keepCards } from './kept-cards.ts';

type Context = Omit<RequestContext, 'recordType'>;

/**
 * Answers a hook with what order checks find in the chart of its patient, as far as the caller may see it: the same function and the same knowledge as when an order is signed. What the client sends of
 * the chart is not believed. Reads the patient and the chart at once, then Medications that are referred to; then what is told leaves its trace, and what feedback will be about is kept.
 *
 * @throws RecordError `forbidden`, `malformed`, `invalid`, `not-found`, `too-costly`.
 * @see https://cds-hooks.hl7.org/2.0/
 */
export const answerHook = async (context: Context, hook: Hook): Promise<{ readonly cards: readonly Card[] }> => {
  requireAsker(context);
  const request = parseHookRequest(hook, context.request.body);
  const drafts = hook === 'patient-view' ? undefined : draftsIn(request);
  const query = `cds-services/${hook}`;
  const looked = await lookAtPatient(context, request.patientId, query, (chart) => chartFacts(context, chart));
  const { chart } = looked.record;
  const pack = await knowledge();
  const compared = drafts
    ? await ofDrafts(context, drafts, looked.beside, chart, pack)
    : comparedInChart(await withMedications(context, looked.beside, []), pack, context.now);
  const names = cardNames();
  const kept = await Promise.all(
    compared.clashes.map(async (clash, index) => ({
      uuid: names(index).card,
      clash: await aboutOf(context, clash, looked.beside),
    })),
  );
  const cards = [
    ...compared.clashes.map(({ subject, finding }, index) => {
      const notices = noticesAmong(kept[index]?.clash.security ?? []);
      return cardOf(finding, nameOf(subject), names(index), { draft: drafts !== undefined, notices });
    }),
    notCheckedCard(compared.open, pack?.edition, names(compared.clashes.length).card),
  ];
  await Promise.all([
    trace(context, chart, query, { ...compared, facts: looked.beside }),
    keepCards(context, hook, {
      patient: request.patientId,
      cards: [...kept, ...cards.slice(-1).map(({ uuid }) => ({ uuid }))],
    }),
  ]);
  return { cards };
};

/** That what is told must not be passed on, in the words of the law. https://www.law.cornell.edu/cfr/text/42/2.32 */
const noticesAmong = (security: readonly fhir4.Coding[]): readonly string[] =>
  security.flatMap(({ system, code, display }) => (`${system}|${code}` === noRedisclosure ? (display ?? []) : []));

const ofDrafts = async (
  context: Context,
  drafts: ReturnType<typeof draftsIn>,
  facts: ChartFacts,
  chart: string,
  pack: Awaited<ReturnType<typeof knowledge>>,
): Promise<Compared> => {
  await requireSamePatient(context, drafts, chart);
  const drafted = await Promise.all(drafts.orders.map((order) => asChecked(context, order, chart)));
  const names = new Set(drafted.map(nameOf));
  const besides = facts.MedicationRequest.filter(({ id }) => !names.has(`MedicationRequest/${id}`));
  const known = await withMedications(
    context,
    { ...facts, MedicationRequest: besides },
    drafted as unknown as readonly Resource[],
  );
  const asked = drafts.orders.flatMap((order, index) => (drafts.asked.includes(order) ? [index] : []));
  const compared = comparedOrders({ asked, drafted }, known, pack, context.now, inForce);
  return drafts.others === 0
    ? compared
    : { ...compared, open: [notChecked('drug-drug', 'other-order'), ...compared.open] };
};

/** What a card is about, for feedback: drafts that nobody has stored are named by their medicine alone. */
const aboutOf = async (
  context: Context,
  { subject, finding }: Clash,
  facts: ChartFacts,
): Promise<NonNullable<KeptCard['clash']>> => {
  const { record } = finding;
  const isStored = storedIn(facts);
  return {
    finding: { ...finding, record: record !== undefined && isStored(record) ? record : undefined },
    implicated: [nameOf(subject), record].filter((name) => name !== undefined).filter(isStored),
    security: await labelsOfFinding(context, subject as unknown as Resource, finding, facts),
  };
};

/** Whether a chart has a record of this name, `Type/id`, as far as it was read: a draft may bear the name of anything. */
const storedIn =
  (facts: ChartFacts) =>
  (name: string): boolean => {
    const [type, id] = name.split('/');
    const records = Object.entries(facts).find(([each]) => each === type)?.[1] as readonly Resource[] | undefined;
    return records?.some((record) => record.id === id) === true;
  };

/** Who is told of records has seen them: those of the chart, not the drafts that nobody has stored. */
const trace = async (
  { audit }: Context,
  chart: string,
  query: string,
  { clashes, open, facts }: Compared & { readonly facts: ChartFacts },
): Promise<void> => {
  const told = [
    ...clashes.flatMap(({ subject, finding }) => [nameOf(subject), finding.record]),
    ...open.map(({ record }) => record),
  ].filter((name) => name !== undefined);
  const what = [...new Set(told)].filter(storedIn(facts));
  if (what.length > 0) await audit.record([{ interaction: 'operation', chart, what, query }]);
};
