import { answerValue, isSameAnswer } from './answer-value.ts';

type Question = fhir4.QuestionnaireItem;
type Answered = fhir4.QuestionnaireResponseItem;

/** What an offered answer counts; what a client says of it counts nothing. https://hl7.org/fhir/R4/extension-ordinalvalue.html */
const ordinalValue = 'http://hl7.org/fhir/StructureDefinition/ordinalValue';

/** Extension of a question of type integer or decimal: the server answers it with the sum of what the answers count. */
export const scoreUrl = 'https://concord.example/fhir/StructureDefinition/questionnaire-score';

/**
 * The answers with the scores that a questionnaire says how to compute: a question with the extension `questionnaire-score` is answered with the sum of the ordinal values of the
 * coded answers beside it and in it, but for questions below that have a score of their own. Without such an answer there is no score: nothing that was asked is not the same as nought.
 */
export const scored = (
  questionnaire: fhir4.Questionnaire,
  response: fhir4.QuestionnaireResponse,
): fhir4.QuestionnaireResponse => {
  const items = scoredItems(questionnaire.item ?? [], response.item ?? []);
  return items === response.item ? response : { ...response, ...(items.length === 0 ? {} : { item: items }) };
};

/** Whether the server answers a question, by the answers to others. */
export const isScore = ({ extension = [] }: Question): boolean =>
  extension.some(({ url, valueCode }) => url === scoreUrl && valueCode === 'sum');

const scoredItems = (questions: readonly Question[], answered: Answered[]): Answered[] => {
  if (!questions.some(hasScore)) return answered;
  const byId = new Map(questions.map((question) => [question.linkId, question]));
  const inner = answered.map((item) => {
    const question = byId.get(item.linkId);
    return question?.item && item.item ? { ...item, item: scoredItems(question.item, item.item) } : item;
  });
  const totals = questions.filter(isScore);
  if (totals.length === 0) return inner;
  const counted = questions.flatMap((question) => (isScore(question) ? [] : countsOf(question, inner)));
  const values = new Map(totals.map((total) => [total.linkId, counted.length === 0 ? undefined : sumOf(counted)]));
  const rest = inner.filter(({ linkId }) => !values.has(linkId));
  return questions.flatMap((question): Answered[] => {
    if (!values.has(question.linkId)) return rest.filter(({ linkId }) => linkId === question.linkId);
    const value = values.get(question.linkId);
    if (value === undefined) return [];
    const answer = question.type === 'decimal' ? { valueDecimal: value } : { valueInteger: value };
    return [
      { linkId: question.linkId, ...(question.text === undefined ? {} : { text: question.text }), answer: [answer] },
    ];
  });
};

const hasScore = (question: Question): boolean => isScore(question) || (question.item ?? []).some(hasScore);

/** What the answers to a question count, and those to the questions in it. */
const countsOf = (question: Question, answered: readonly Answered[]): number[] =>
  answered
    .filter(({ linkId }) => linkId === question.linkId)
    .flatMap(({ answer = [], item = [] }) => [
      ...answer.flatMap((each) => countOf(question, each) ?? []),
      ...(question.item ?? []).flatMap((inner) =>
        (question.item ?? []).some(isScore)
          ? []
          : countsOf(inner, [...item, ...answer.flatMap((each) => each.item ?? [])]),
      ),
    ]);

const countOf = (
  { answerOption = [] }: Question,
  answer: fhir4.QuestionnaireResponseItemAnswer,
): number | undefined => {
  const value = answerValue(answer, 'value');
  const option =
    value &&
    answerOption.find((each) => {
      const offered = answerValue(each, 'value');
      return offered !== undefined && isSameAnswer(offered, value);
    });
  return ordinalOf(option?.valueCoding?.extension) ?? ordinalOf(option?.extension);
};

const ordinalOf = (extension: readonly fhir4.Extension[] = []): number | undefined =>
  extension.find(({ url }) => url === ordinalValue)?.valueDecimal;

/** In tenths of thousandths, so that a tenth counts as one. */
const sumOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + Math.round(value * 10_000), 0) / 10_000;
