import type { ValidationIssue } from '../fhir/validation-issue.ts';
import { type AnswerValue, answerValue, isSameAnswer, order } from './answer-value.ts';
import { isEnabled, type Surroundings } from './enabled.ts';
import { isScore } from './score.ts';

type Question = fhir4.QuestionnaireItem;
type Answered = fhir4.QuestionnaireResponseItem;

/** How the answers to a questionnaire are checked. */
export interface Checking {
  /** Whether all that is required has to be there. What is in progress may lack it. */
  readonly complete: boolean;
  /** Whether a value set has a coding; undefined where that cannot be told. */
  readonly inValueSet: (canonical: string, coding: fhir4.Coding) => boolean | undefined;
}

/** Which `value[x]` answers which type of question. https://hl7.org/fhir/R4/questionnaireresponse.html#link */
const elements: Readonly<Record<string, readonly string[]>> = {
  boolean: ['boolean'],
  decimal: ['decimal'],
  integer: ['integer'],
  date: ['date'],
  dateTime: ['dateTime'],
  time: ['time'],
  string: ['string'],
  text: ['string'],
  url: ['uri'],
  choice: ['coding'],
  'open-choice': ['coding', 'string'],
  attachment: ['attachment'],
  reference: ['reference'],
  quantity: ['quantity'],
};

const minValue = 'http://hl7.org/fhir/StructureDefinition/minValue';
const maxValue = 'http://hl7.org/fhir/StructureDefinition/maxValue';

/** A choice may offer texts, numbers, dates and references, too. https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.answerOption.value_x_ */
const offeredElements = (type: string, options: Question['answerOption'] = []): string[] =>
  type === 'choice' || type === 'open-choice'
    ? options.flatMap((option) => {
        const value = answerValue(option, 'value');
        return value ? [elementOf(value)] : [];
      })
    : [];

const elementOf = (value: AnswerValue): string => ('element' in value ? value.element : value.kind);

/**
 * What stands against answers, each by the item that it is about; a value that cannot be checked is told of as information.
 * https://hl7.org/fhir/R4/questionnaireresponse.html#notes
 */
export const checkAnswers = (
  questionnaire: fhir4.Questionnaire,
  response: fhir4.QuestionnaireResponse,
  checking: Checking,
): readonly ValidationIssue[] => {
  const issues: ValidationIssue[] = [];
  const check = new Check(checking, (issue) => void issues.push(issue));
  const items = response.item ?? [];
  check.items(questionnaire.item ?? [], items, 'QuestionnaireResponse', { items, outer: undefined });
  return issues;
};

class Check {
  readonly #checking: Checking;
  readonly #tell: (issue: ValidationIssue) => void;

  constructor(checking: Checking, tell: (issue: ValidationIssue) => void) {
    this.#checking = checking;
    this.#tell = tell;
  }

  /**
   * @param at - expression of what holds the items.
   * @param asked - whether what holds them is asked.
   */
  items(
    questions: readonly Question[],
    items: readonly Answered[],
    at: string,
    around: Surroundings,
    asked = true,
  ): void {
    const known = new Map(questions.map((question, place) => [question.linkId, { question, place }]));
    let last = -1;
    const counts = new Map<string, number>();
    for (const [index, item] of items.entries()) {
      const expression = `${at}.item[${index}]`;
      const found = known.get(item.linkId);
      if (!found) {
        this.#error('structure', `${expression}.linkId`, 'The questionnaire has no such item here');
        continue;
      }
      const { question, place } = found;
      if (place < last) this.#error('structure', expression, 'Items stand in the order of the questionnaire');
      last = Math.max(last, place);
      const count = (counts.get(item.linkId) ?? 0) + 1;
      counts.set(item.linkId, count);
      if (count === 2 && !(question.type === 'group' && question.repeats))
        this.#error('structure', expression, 'This item is there once; several answers stand in one item');
      this.#item(question, item, expression, around);
    }
    if (!this.#checking.complete || !asked) return;
    const answered = new Set(items.flatMap((item) => (isAnswered(item) ? [item.linkId] : [])));
    for (const question of questions) {
      // A score is the server's own answer.
      if (!question.required || isScore(question) || !isEnabled(question, around)) continue;
      if (!answered.has(question.linkId)) this.#error('required', at, `The item ${question.linkId} has to be answered`);
    }
  }

  #item(question: Question, item: Answered, at: string, around: Surroundings): void {
    const { type, item: questions = [], repeats = false } = question;
    const { answer = [], item: items = [] } = item;
    if (this.#checking.complete && isAnswered(item) && !isEnabled(question, around))
      this.#error('value', at, 'By other answers this is not asked');
    if (type === 'group') {
      if (answer.length > 0) this.#error('structure', `${at}.answer`, 'A group has no answer of its own');
      this.items(questions, items, at, { items, outer: around }, isEnabled(question, around));
      return;
    }
    if (items.length > 0) this.#error('structure', `${at}.item`, 'What follows a question stands in its answer');
    if (type === 'display') {
      if (answer.length > 0) this.#error('structure', `${at}.answer`, 'This is no question');
      return;
    }
    if (answer.length > 1 && !repeats) this.#error('structure', `${at}.answer`, 'This takes one answer');
    for (const [index, each] of answer.entries()) {
      const expression = `${at}.answer[${index}]`;
      const value = answerValue(each, 'value');
      if (value) this.#answer(question, value, expression);
      const nested = each.item ?? [];
      this.items(questions, nested, expression, { items: nested, outer: around });
    }
  }

  #answer({ type, maxLength, extension = [], ...question }: Question, value: AnswerValue, at: string): void {
    const element = elementOf(value);
    const wanted = [...(elements[type] ?? []), ...offeredElements(type, question.answerOption)];
    const expression = `${at}.value`;
    if (!wanted.includes(element)) {
      this.#error('value', expression, `The answer is one of: ${[...new Set(wanted)].join(', ')}`);
      return;
    }
    if (maxLength !== undefined && value.kind === 'text' && value.value.length > maxLength)
      this.#error('too-long', expression, `The answer has at most ${maxLength} letters`);
    for (const { url, ...limit } of extension) {
      const bound = url === minValue || url === maxValue ? answerValue(limit, 'value') : undefined;
      const difference = bound && order(value, bound);
      if (difference !== undefined && (url === minValue ? difference < 0 : difference > 0))
        this.#error('value', expression, url === minValue ? 'The answer is too small' : 'The answer is too large');
    }
    this.#option(question, type === 'open-choice', value, expression);
  }

  #option(
    { answerOption, answerValueSet }: Pick<Question, 'answerOption' | 'answerValueSet'>,
    open: boolean,
    value: AnswerValue,
    expression: string,
  ): void {
    if (open && value.kind === 'text') return;
    if (answerOption) {
      const options = answerOption.flatMap((option) => answerValue(option, 'value') ?? []);
      if (!options.some((option) => isSameAnswer(option, value)))
        this.#error('code-invalid', expression, 'The answer is none of those that the question offers');
    }
    if (answerValueSet === undefined || value.kind !== 'coding') return;
    const known = this.#checking.inValueSet(answerValueSet, value.value);
    if (known === false)
      this.#error('code-invalid', expression, 'The answer is not in the value set that the question names');
    if (known === undefined)
      this.#tell({
        severity: 'information',
        code: 'not-supported',
        expression,
        message: 'The value set that the question names is not known here: the answer was not checked',
      });
  }

  #error(code: ValidationIssue['code'], expression: string, message: string): void {
    this.#tell({ severity: 'error', code, expression, message });
  }
}

/** Whether an item says anything. */
const isAnswered = ({ answer = [], item = [] }: Answered): boolean =>
  answer.some((each) => answerValue(each, 'value') !== undefined) || item.some(isAnswered);
