import { describe, expect, it } from 'vitest';
import { checkAnswers } from '../../shared/questionnaires/check-answers.ts';
import { scored } from '../../shared/questionnaires/score.ts';

type Question = fhir4.QuestionnaireItem;
type Item = fhir4.QuestionnaireResponseItem;
type Answer = fhir4.QuestionnaireResponseItemAnswer;

const questionnaire = (...item: Question[]): fhir4.Questionnaire => ({
  resourceType: 'Questionnaire',
  status: 'active',
  item,
});
const response = (...item: Item[]): fhir4.QuestionnaireResponse => ({
  resourceType: 'QuestionnaireResponse',
  status: 'completed',
  item,
});
const item = (linkId: string, ...answer: Answer[]): Item => ({ linkId, ...(answer.length === 0 ? {} : { answer }) });
const question = (linkId: string, type: Question['type'], elements: Partial<Question> = {}): Question => ({
  linkId,
  type,
  ...elements,
});
const coding = (code: string): fhir4.Coding => ({ system: 'http://concord.test/codes', code });
const known = (canonical: string, { code }: fhir4.Coding): boolean | undefined =>
  canonical === 'http://concord.test/set' ? code === 'a' : undefined;

/** What stands against answers: severity, rule and place, the resource type left out. */
const faults = (questions: Question[], items: Item[], complete = true): string[] =>
  checkAnswers(questionnaire(...questions), response(...items), { complete, inValueSet: known }).map(
    ({ severity, code, expression }) => `${severity} ${code} ${expression.replace('QuestionnaireResponse', '')}`,
  );

describe('answers stand where the questionnaire asks', () => {
  const group = question('g', 'group', { item: [question('q', 'string', { item: [question('r', 'string')] })] });

  it.each<[string, Question[], Item[], string[]]>([
    [
      'as asked',
      [group],
      [
        {
          linkId: 'g',
          item: [{ linkId: 'q', answer: [{ valueString: 'x', item: [item('r', { valueString: 'y' })] }] }],
        },
      ],
      [],
    ],
    ['unknown', [group], [item('x')], ['error structure .item[0].linkId']],
    ['one level too high', [group], [item('q', { valueString: 'x' })], ['error structure .item[0].linkId']],
    ['in a group', [group], [item('g', { valueString: 'x' })], ['error structure .item[0].answer']],
    ['in a text', [question('d', 'display')], [item('d', { valueString: 'x' })], ['error structure .item[0].answer']],
    [
      'beside an answer',
      [question('q', 'string', { item: [question('r', 'string')] })],
      [{ linkId: 'q', item: [item('r')] }],
      ['error structure .item[0].item'],
    ],
    [
      'in another order',
      [question('a', 'string'), question('b', 'string')],
      [item('b'), item('a')],
      ['error structure .item[1]'],
    ],
    ['twice', [question('a', 'string')], [item('a'), item('a')], ['error structure .item[1]']],
    [
      'several in one',
      [question('a', 'string')],
      [item('a', { valueString: 'x' }, { valueString: 'y' })],
      ['error structure .item[0].answer'],
    ],
    [
      'several, where it repeats',
      [question('a', 'string', { repeats: true })],
      [item('a', { valueString: 'x' }, { valueString: 'y' })],
      [],
    ],
    ['a group that repeats', [question('g', 'group', { repeats: true })], [item('g'), item('g')], []],
  ])('%s', (_, questions, items, expected) => {
    expect(faults(questions, items)).toEqual(expected);
  });
});

describe('each type of question takes its own values', () => {
  const values: Record<string, Answer> = {
    boolean: { valueBoolean: true },
    decimal: { valueDecimal: 1.5 },
    integer: { valueInteger: 1 },
    date: { valueDate: '2024-05-06' },
    dateTime: { valueDateTime: '2024-05-06T07:08:09Z' },
    time: { valueTime: '07:08:09' },
    string: { valueString: 'x' },
    url: { valueUri: 'http://concord.test' },
    choice: { valueCoding: coding('a') },
    attachment: { valueAttachment: { url: 'http://concord.test' } },
    reference: { valueReference: { reference: 'Patient/1' } },
    quantity: { valueQuantity: { value: 1 } },
  };
  const alike: Record<string, string[]> = {
    string: ['string', 'text', 'open-choice'],
    choice: ['choice', 'open-choice'],
  };

  it.each([...Object.keys(values), 'text', 'open-choice'])('%s', (type) => {
    const taken = Object.entries(values).filter(
      ([, value]) => faults([question('q', type as Question['type'])], [item('q', value)]).length === 0,
    );

    const expected = Object.keys(values).filter((each) => (alike[each] ?? [each]).includes(type));
    expect(taken.map(([name]) => name)).toEqual(expected);
  });
});

describe('limits and sets of answers', () => {
  const limits = (min: number, max: number): fhir4.Extension[] => [
    { url: 'http://hl7.org/fhir/StructureDefinition/minValue', valueInteger: min },
    { url: 'http://hl7.org/fhir/StructureDefinition/maxValue', valueInteger: max },
  ];
  const options = { answerOption: [{ valueCoding: coding('a') }, { valueCoding: coding('b') }] };
  const inSet = { answerValueSet: 'http://concord.test/set' };

  it.each<[string, Question, Answer, string[]]>([
    ['length kept', question('q', 'string', { maxLength: 2 }), { valueString: 'xy' }, []],
    [
      'too long',
      question('q', 'string', { maxLength: 2 }),
      { valueString: 'xyz' },
      ['error too-long .item[0].answer[0].value'],
    ],
    ['at the limits', question('q', 'integer', { extension: limits(1, 1) }), { valueInteger: 1 }, []],
    [
      'too small',
      question('q', 'integer', { extension: limits(1, 3) }),
      { valueInteger: 0 },
      ['error value .item[0].answer[0].value'],
    ],
    [
      'too large',
      question('q', 'integer', { extension: limits(1, 3) }),
      { valueInteger: 4 },
      ['error value .item[0].answer[0].value'],
    ],
    ['an option', question('q', 'choice', options), { valueCoding: coding('b') }, []],
    [
      'no option',
      question('q', 'choice', options),
      { valueCoding: coding('c') },
      ['error code-invalid .item[0].answer[0].value'],
    ],
    [
      'the code of another system',
      question('q', 'choice', options),
      { valueCoding: { code: 'a' } },
      ['error code-invalid .item[0].answer[0].value'],
    ],
    ['own words', question('q', 'open-choice', options), { valueString: 'else' }, []],
    [
      'own code',
      question('q', 'open-choice', options),
      { valueCoding: coding('c') },
      ['error code-invalid .item[0].answer[0].value'],
    ],
    [
      'an option that is a number',
      question('q', 'integer', { answerOption: [{ valueInteger: 3 }] }),
      { valueInteger: 4 },
      ['error code-invalid .item[0].answer[0].value'],
    ],
    ['in the set', question('q', 'choice', inSet), { valueCoding: coding('a') }, []],
    [
      'not in the set',
      question('q', 'choice', inSet),
      { valueCoding: coding('b') },
      ['error code-invalid .item[0].answer[0].value'],
    ],
    [
      'a set that is not known',
      question('q', 'choice', { answerValueSet: 'http://concord.test/other' }),
      { valueCoding: coding('b') },
      ['information not-supported .item[0].answer[0].value'],
    ],
  ])('%s', (_, asked, answer, expected) => {
    expect(faults([asked], [item('q', answer)])).toEqual(expected);
  });
});

describe('what is required', () => {
  const required = question('q', 'string', { required: true });

  it.each<[string, Question[], Item[], string[]]>([
    ['is there', [required], [item('q', { valueString: 'x' })], []],
    ['is missing', [required], [], ['error required ']],
    ['is there without an answer', [required], [item('q')], ['error required ']],
    [
      'is missing in a group',
      [question('g', 'group', { item: [required] })],
      [{ linkId: 'g' }],
      ['error required .item[0]'],
    ],
    ['is in a group that is not there', [question('g', 'group', { item: [required] })], [], []],
    [
      'is a group',
      [question('g', 'group', { required: true, item: [question('q', 'string')] })],
      [{ linkId: 'g' }],
      ['error required '],
    ],
  ])('%s', (_, questions, items, expected) => {
    expect(faults(questions, items)).toEqual(expected);
    expect(faults(questions, items, false)).toEqual([]);
  });
});

describe('a question that others enable', () => {
  const when = (operator: fhir4.QuestionnaireItemEnableWhen['operator'], answer: object) => ({
    question: 'a',
    operator,
    ...answer,
  });
  const rows: [string, fhir4.QuestionnaireItemEnableWhen, Answer[], boolean][] = [
    ['exists', when('exists', { answerBoolean: true }), [{ valueString: 'x' }], true],
    ['does not exist', when('exists', { answerBoolean: true }), [], false],
    ['is not to exist', when('exists', { answerBoolean: false }), [], true],
    ['is equal', when('=', { answerCoding: coding('a') }), [{ valueCoding: { ...coding('a'), display: 'A' } }], true],
    ['is one of several', when('=', { answerInteger: 2 }), [{ valueInteger: 1 }, { valueInteger: 2 }], true],
    ['is not equal', when('=', { answerInteger: 2 }), [{ valueInteger: 3 }], false],
    ['differs', when('!=', { answerString: 'x' }), [{ valueString: 'y' }], true],
    ['does not differ', when('!=', { answerString: 'x' }), [{ valueString: 'x' }], false],
    ['is more', when('>', { answerDecimal: 1.5 }), [{ valueDecimal: 1.6 }], true],
    ['is no more', when('>', { answerInteger: 2 }), [{ valueInteger: 2 }], false],
    ['is as much', when('>=', { answerInteger: 2 }), [{ valueInteger: 2 }], true],
    ['is earlier', when('<', { answerDate: '2024-02-01' }), [{ valueDate: '2024-01-31' }], true],
    ['is not earlier', when('<=', { answerDate: '2024-02-01' }), [{ valueDate: '2024-02-02' }], false],
    [
      'is earlier elsewhere',
      when('<', { answerDateTime: '2024-02-01T10:00:00Z' }),
      [{ valueDateTime: '2024-02-01T10:30:00+01:00' }],
      true,
    ],
    [
      'is more of one unit',
      when('>', { answerQuantity: { value: 1, unit: 'kg' } }),
      [{ valueQuantity: { value: 2, unit: 'kg' } }],
      true,
    ],
    [
      'is more of another unit',
      when('>', { answerQuantity: { value: 1, unit: 'kg' } }),
      [{ valueQuantity: { value: 2, unit: 'g' } }],
      false,
    ],
  ];

  it.each(rows)('where the answer %s', (_, enableWhen, answers, enabled) => {
    const asked = [
      question('a', 'string', { repeats: true }),
      question('b', 'string', { required: true, enableWhen: [enableWhen] }),
    ];
    const about = (items: Item[]) => faults(asked, items).filter((fault) => !fault.includes('.item[0]'));
    const first = item('a', ...answers);

    expect(about([first])).toEqual(enabled ? ['error required '] : []);
    expect(about([first, item('b', { valueString: 'x' })])).toEqual(enabled ? [] : ['error value .item[1]']);
  });

  it('needs all of several conditions, or any', () => {
    const both = (enableBehavior: 'all' | 'any') => [
      question('a', 'integer'),
      question('b', 'string', {
        required: true,
        enableBehavior,
        enableWhen: [
          when('>', { answerInteger: 1 }),
          when('<', { answerInteger: 3 }),
        ] as fhir4.QuestionnaireItemEnableWhen[],
      }),
    ];

    const required = (behaviour: 'all' | 'any', value: number) =>
      faults(both(behaviour), [item('a', { valueInteger: value })]).length;
    expect([required('all', 2), required('all', 4), required('any', 2), required('any', 4)]).toEqual([1, 0, 1, 1]);
  });

  it('goes by the question beside it, in the same round of its group', () => {
    const group = question('g', 'group', {
      repeats: true,
      item: [
        question('a', 'boolean'),
        question('b', 'string', {
          required: true,
          enableWhen: [when('=', { answerBoolean: true }) as fhir4.QuestionnaireItemEnableWhen],
        }),
      ],
    });
    const round = (value: boolean): Item => ({ linkId: 'g', item: [item('a', { valueBoolean: value })] });

    expect(faults([group], [round(false), round(true)])).toEqual(['error required .item[1]']);
  });
});

describe('a score', () => {
  const score: fhir4.Extension = {
    url: 'https://concord.example/fhir/StructureDefinition/questionnaire-score',
    valueCode: 'sum',
  };
  const ordinal = (code: string, value: number): fhir4.QuestionnaireItemAnswerOption => ({
    valueCoding: {
      ...coding(code),
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/ordinalValue', valueDecimal: value }],
    },
  });
  const answerOption = [ordinal('a', 0), ordinal('b', 1), ordinal('c', 0.2)];
  const asked = questionnaire(
    question('one', 'choice', { answerOption }),
    question('g', 'group', { item: [question('two', 'choice', { answerOption, repeats: true })] }),
    question('total', 'decimal', { text: 'Total', extension: [score] }),
    question('after', 'string'),
  );
  const given = (code: string): Answer => ({ valueCoding: coding(code) });

  it('is the sum of what the chosen options count, in its place, whatever was sent', () => {
    const sent = response(
      item('one', given('b')),
      { linkId: 'g', item: [item('two', given('b'), given('c'), given('a'))] },
      item('total', { valueDecimal: 99 }),
      item('after', { valueString: 'x' }),
    );

    expect(scored(asked, sent).item).toEqual([
      sent.item?.[0],
      sent.item?.[1],
      { linkId: 'total', text: 'Total', answer: [{ valueDecimal: 2.2 }] },
      sent.item?.[3],
    ]);
  });

  it('is none where nothing that counts was answered', () => {
    expect(
      scored(asked, response(item('total', { valueDecimal: 3 }), item('after', { valueString: 'x' }))).item,
    ).toEqual([item('after', { valueString: 'x' })]);
  });

  it('is nought where what was answered counts nought; what a client says of its answer counts nothing', () => {
    const forged: Answer = {
      valueCoding: {
        ...coding('a'),
        extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/ordinalValue', valueDecimal: 9 }],
      },
    };

    expect(scored(asked, response(item('one', forged))).item?.at(-1)?.answer).toEqual([{ valueDecimal: 0 }]);
  });

  it('leaves answers alone to a questionnaire that has none', () => {
    const sent = response(item('one', given('b')));

    expect(scored(questionnaire(question('one', 'choice', { answerOption })), sent)).toBe(sent);
  });
});

describe('what is asked', () => {
  const options = (...values: Partial<fhir4.QuestionnaireItemAnswerOption>[]) => ({
    answerOption: values as fhir4.QuestionnaireItemAnswerOption[],
  });

  it('is answered with a text or number where a choice offers such', () => {
    const offered = question('q', 'choice', options({ valueString: 'yes' }, { valueInteger: 1 }));

    expect(faults([offered], [item('q', { valueString: 'yes' })])).toEqual([]);
    expect(faults([offered], [item('q', { valueInteger: 1 })])).toEqual([]);
    expect(faults([offered], [item('q', { valueString: 'no' })])).toEqual([
      'error code-invalid .item[0].answer[0].value',
    ]);
    expect(faults([offered], [item('q', { valueDate: '2026' })])).toEqual(['error value .item[0].answer[0].value']);
  });

  it('is a score of the server, which nobody has to send', () => {
    const extension = [
      { url: 'https://concord.example/fhir/StructureDefinition/questionnaire-score', valueCode: 'sum' },
    ];

    expect(faults([question('s', 'integer', { required: true, extension })], [])).toEqual([]);
  });

  it('leaves out what is in a group that is not asked', () => {
    const group = question('g', 'group', {
      enableWhen: [{ question: 'q', operator: '=', answerBoolean: true }],
      item: [question('r', 'string', { required: true })],
    });
    const questions = [question('q', 'boolean'), group];

    expect(faults(questions, [item('q', { valueBoolean: false }), item('g')])).toEqual([]);
    expect(faults(questions, [item('q', { valueBoolean: true }), item('g')])).toEqual(['error required .item[1]']);
  });

  it('by others is told with one look at each answer, however many ask', () => {
    let looks = 0;
    const first: Item = {
      linkId: 'q',
      get answer(): Answer[] {
        looks++;
        return [{ valueBoolean: true }];
      },
    };
    const looksFor = (count: number): number => {
      looks = 0;
      const asking = Array.from({ length: count }, (_, index) =>
        question(`q${index}`, 'string', {
          required: true,
          enableWhen: [{ question: 'q', operator: '=', answerBoolean: false }],
        }),
      );
      expect(faults([question('q', 'boolean'), ...asking], [first])).toEqual([]);
      return looks;
    };

    expect(looksFor(100)).toBe(looksFor(1));
  });
});
