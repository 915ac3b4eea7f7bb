import { type AnswerValue, answerValue, isSameAnswer, order } from './answer-value.ts';

/** An item of a response and the items around it, from the innermost outwards. */
export interface Surroundings {
  readonly items: readonly fhir4.QuestionnaireResponseItem[];
  readonly outer: Surroundings | undefined;
}

/**
 * Whether a question is asked, by the answers to others. https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen
 *
 * @param around - where the item stands, or would stand.
 */
export const isEnabled = (
  { enableWhen = [], enableBehavior = 'any' }: fhir4.QuestionnaireItem,
  around: Surroundings,
): boolean => {
  if (enableWhen.length === 0) return true;
  const met = enableWhen.map((condition) => isMet(condition, answersTo(condition.question, around)));
  return enableBehavior === 'all' ? met.every(Boolean) : met.some(Boolean);
};

/** Answers to the nearest question of this name: beside the item, else beside what it is in, and so on. */
const answersTo = (question: string, around: Surroundings | undefined): readonly AnswerValue[] => {
  if (!around) return [];
  const found = answersIn(around).get(question) ?? [];
  return found.length > 0 ? found : answersTo(question, around.outer);
};

/** Answers by question, gathered once: thousands of questions may each ask for others. */
const gathered = new WeakMap<Surroundings, ReadonlyMap<string, readonly AnswerValue[]>>();

const answersIn = (around: Surroundings): ReadonlyMap<string, readonly AnswerValue[]> => {
  const known = gathered.get(around);
  if (known) return known;
  const answers = new Map<string, AnswerValue[]>();
  const gather = ({ linkId, answer = [], item = [] }: fhir4.QuestionnaireResponseItem): void => {
    const own = answers.get(linkId) ?? [];
    own.push(...answer.flatMap((each) => answerValue(each, 'value') ?? []));
    answers.set(linkId, own);
    for (const each of [...item, ...answer.flatMap((inner) => inner.item ?? [])]) gather(each);
  };
  for (const item of around.items) gather(item);
  gathered.set(around, answers);
  return answers;
};

const isMet = (condition: fhir4.QuestionnaireItemEnableWhen, answers: readonly AnswerValue[]): boolean => {
  const wanted = answerValue(condition, 'answer');
  if (!wanted) return false;
  const compared = (holds: (difference: number) => boolean): boolean =>
    answers.some((answer) => {
      const difference = order(answer, wanted);
      return difference !== undefined && holds(difference);
    });
  switch (condition.operator) {
    case 'exists':
      return answers.length > 0 === wanted.value;
    case '=':
      return answers.some((answer) => isSameAnswer(answer, wanted));
    case '!=':
      return answers.some((answer) => !isSameAnswer(answer, wanted));
    case '>':
      return compared((difference) => difference > 0);
    case '<':
      return compared((difference) => difference < 0);
    case '>=':
      return compared((difference) => difference >= 0);
    case '<=':
      return compared((difference) => difference <= 0);
  }
};
