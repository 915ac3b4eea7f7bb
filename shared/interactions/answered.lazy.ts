import { RecordError } from '../errors.ts';
import { withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { checkAnswers } from '../questionnaires/check-answers.ts';
import { scored } from '../questionnaires/score.ts';
import type { Answered } from './answered.ts';
import type { RequestContext } from './context.ts';
import { systemOf } from './own-system.ts';
import { mostCalls, readTerms } from './terms/read-terms.ts';
import { type StoredTerms, storedTerms } from './terms/stored-terms.ts';

type Context = Pick<RequestContext, 'asking' | 'known' | 'request' | 'store'>;

/** States in which all that is required has been answered. https://hl7.org/fhir/R4/valueset-questionnaire-answers-status.html */
const complete: ReadonlySet<string> = new Set(['completed', 'amended']);

const notChecked = (message: string) =>
  [
    { severity: 'information', code: 'not-supported', expression: 'QuestionnaireResponse.questionnaire', message },
  ] as const;

/** `answered`, for answers to a questionnaire. One call finds the questionnaire; each value set that it names takes some more. */
export const checked = async (context: Context, chart: string, resource: Resource): Promise<Answered> => {
  const response = resource as unknown as fhir4.QuestionnaireResponse;
  if (response.questionnaire === undefined)
    return { resource, notices: notChecked('No questionnaire is named: the answers were not checked') };
  const stored = storedTerms(await asCustodian(context, chart), spending());
  const questionnaire = await stored.find('Questionnaire', response.questionnaire);
  if (!questionnaire)
    return { resource, notices: notChecked('The questionnaire is not known here: the answers were not checked') };
  const inValueSet = await valueSetsOf(stored, questionnaire);
  const issues = checkAnswers(questionnaire, response, { complete: complete.has(response.status), inValueSet });
  const errors = issues.filter(({ severity }) => severity === 'error');
  if (errors.length > 0)
    throw new RecordError('business-rule', 'The answers do not fit the questionnaire', {
      reason: 'questionnaire-answers',
      details: errors.slice(0, mostTold),
    });
  const answers = scored(questionnaire, response);
  return {
    resource: answers === response ? resource : withSpellingOf(answers as unknown as Resource, resource),
    notices: issues,
  };
};

/** Answers that are named in one refusal. */
const mostTold = 50;

/** Who keeps the chart asks its questions; a patient, or who answers for one, need not be able to look for them. */
const asCustodian = async ({ asking, ...context }: Context, chart: string): Promise<Context> => {
  const own = asking.caller.organization;
  const custodian = own ?? (await context.store.read({ type: 'Patient', chart, place: '' }))?.custodian ?? '';
  return { ...context, asking: systemOf({ asking }, custodian) };
};

const spending = (): (() => void) => {
  let calls = 0;
  return () => {
    if (++calls > mostCalls)
      throw new RecordError('too-costly', 'The value sets of the questionnaire are made of too many others', {
        expression: 'QuestionnaireResponse.questionnaire',
      });
  };
};

const valueSetsIn = (items: readonly fhir4.QuestionnaireItem[] = []): string[] =>
  items.flatMap(({ answerValueSet, item }) => [
    ...((answerValueSet ?? '') ? [answerValueSet ?? ''] : []),
    ...valueSetsIn(item),
  ]);

/** Tells which codings are in the value sets that a questionnaire names, contained ones among them. */
const valueSetsOf = async (stored: StoredTerms, questionnaire: fhir4.Questionnaire) => {
  const named = [...new Set(valueSetsIn(questionnaire.item))];
  if (named.length === 0) return () => undefined;
  const contained = new Map(
    (questionnaire.contained ?? []).flatMap((each) =>
      each.resourceType === 'ValueSet' ? [[`#${each.id}`, each]] : [],
    ),
  );
  const within: StoredTerms = {
    find: async (type, canonical) => {
      const own = type === 'ValueSet' ? contained.get(canonical) : undefined;
      return own ? (own as never) : stored.find(type, canonical);
    },
  };
  const { heldTerminology, membersOf, TerminologyGap } = await import('../terminology/evaluation.lazy.ts');
  const known = await readTerms(within, await heldTerminology(), { valueSets: named, codeSystems: [] });
  const members = new Map(
    named.map((canonical) => {
      const valueSet = known.valueSet(canonical);
      try {
        return [canonical, valueSet && membersOf(valueSet, known)] as const;
      } catch (error) {
        if (error instanceof TerminologyGap) return [canonical, undefined] as const;
        throw error;
      }
    }),
  );
  return (canonical: string, { system, code }: fhir4.Coding): boolean | undefined =>
    code === undefined ? false : members.get(canonical)?.has(system, code);
};
