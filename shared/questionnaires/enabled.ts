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
  const found = around.items.flatMap((item) => within(item, question));
  return found.length > 0 ? found : answersTo(question, around.outer);
};

const within = (
  { linkId, answer = [], item = [] }: fhir4.QuestionnaireResponseItem,
  question: string,
): readonly AnswerValue[] => {
  const own = linkId === question ? answer.flatMap((each) => answerValue(each, 'value') ?? []) : [];
  const nested = [...item, ...answer.flatMap((each) => each.item ?? [])].flatMap((each) => within(each, question));
  return [...own, ...nested];
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
