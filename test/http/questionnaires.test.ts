import { beforeAll, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import { admin, create, pathOf, patientBody, referenceTo, type Stored } from '../support/records.ts';

// Answers are held to the questionnaire that they name, by whichever way they come.

const url = 'http://concord.test/Questionnaire/mood';
const coding = (code: string) => ({ system: 'http://concord.test/codes', code });
const ordinal = (code: string, valueDecimal: number) => ({
  valueCoding: {
    ...coding(code),
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/ordinalValue', valueDecimal }],
  },
});

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let as: TestCaller;

beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
  as = { role: 'patient', patient: patient.id, scope: 'patient/*.cruds' };
  const questionnaire: fhir4.Questionnaire = {
    resourceType: 'Questionnaire',
    status: 'active',
    url,
    contained: [
      {
        resourceType: 'ValueSet',
        id: 'where',
        status: 'active',
        compose: { include: [{ system: 'http://concord.test/codes', concept: [{ code: 'home' }] }] },
      } as fhir4.ValueSet,
    ],
    item: [
      { linkId: 'mood', type: 'choice', required: true, answerOption: [ordinal('low', 2), ordinal('good', 0)] },
      { linkId: 'where', type: 'choice', answerValueSet: '#where' },
      {
        linkId: 'total',
        type: 'integer',
        extension: [{ url: 'https://concord.example/fhir/StructureDefinition/questionnaire-score', valueCode: 'sum' }],
      },
    ],
  };
  await create(server, questionnaire, admin);
});

const answers = (
  item: fhir4.QuestionnaireResponseItem[],
  elements: Partial<fhir4.QuestionnaireResponse> = {},
): fhir4.QuestionnaireResponse => ({
  resourceType: 'QuestionnaireResponse',
  status: 'completed',
  questionnaire: url,
  subject: { reference: referenceTo(patient) },
  author: { reference: referenceTo(patient) },
  source: { reference: referenceTo(patient) },
  item,
  ...elements,
});
const mood = (code: string) => ({ linkId: 'mood', answer: [{ valueCoding: coding(code) }] });
const refusal = (body: unknown) =>
  (body as fhir4.OperationOutcome).issue.map(({ details, expression }) => [
    details?.coding?.[0]?.code,
    expression?.[0],
  ]);

it('scores the answers of a patient', async () => {
  const stored = await create(server, answers([mood('low')], { status: 'in-progress' }), as);
  const { body } = await server.put(pathOf(stored), { ...stored, status: 'completed' } as unknown as TestBody, { as });

  expect(stored.item?.at(-1)).toEqual({ linkId: 'total', answer: [{ valueInteger: 2 }] });
  expect(body).toMatchObject({ status: 'completed', item: [mood('low'), { linkId: 'total' }] });
});

it.each<[string, fhir4.QuestionnaireResponseItem[], string]>([
  ['lack what is required', [{ linkId: 'where', answer: [{ valueCoding: coding('home') }] }], 'QuestionnaireResponse'],
  ['are none that are offered', [mood('bad')], 'QuestionnaireResponse.item[0].answer[0].value'],
  [
    'are not in a contained value set',
    [mood('low'), { linkId: 'where', answer: [{ valueCoding: coding('away') }] }],
    'QuestionnaireResponse.item[1].answer[0].value',
  ],
])('refuses answers that %s, by create, update, patch and transaction', async (_, item, expression) => {
  const begun = await create(server, answers([mood('low')]), as);
  const wrong = answers(item) as unknown as TestBody;
  const patch = [{ op: 'replace', path: '/item', value: item }];
  const responses = [
    await server.post('QuestionnaireResponse', wrong, { as }),
    await server.put(pathOf(begun), { ...answers(item), id: begun.id } as unknown as TestBody, { as }),
    await server.request('PATCH', pathOf(begun), {
      as,
      body: patch as unknown as TestBody,
      headers: { 'content-type': 'application/json-patch+json' },
    }),
  ];
  const { status: ofBundle } = await server.post(
    '',
    {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ resource: wrong, request: { method: 'POST', url: 'QuestionnaireResponse' } }],
    },
    { as: { role: 'system' } },
  );

  expect(responses.map(({ status, body }) => [status, refusal(body)])).toEqual(
    responses.map(() => [422, [['questionnaire-answers', expression]]]),
  );
  expect(ofBundle).toBe(422);
});

it('stores answers to a questionnaire that is not known here, and says that they were not checked', async () => {
  const unknown = answers([{ linkId: 'x' }], { questionnaire: 'http://concord.test/Questionnaire/other' });

  const { status, body } = await server.post('QuestionnaireResponse', unknown as unknown as TestBody, {
    as,
    headers: { prefer: 'return=OperationOutcome' },
  });

  expect([status, JSON.stringify(body)]).toEqual([201, expect.stringContaining('were not checked')]);
});
