import { beforeAll, describe, expect, it } from 'vitest';
import { base, type FhirServer, fhirServer, type TestResponse } from '../support/fhir-server.ts';
import { message, numbers, registerSender, send, verdictOf } from '../support/hl7-v2.ts';
import { segment } from '../support/hl7-v2-generator.ts';
import { type Meanwhile, meanwhile } from '../support/meanwhile.ts';
import { resourcesIn, type Stored, stored, system } from '../support/records.ts';

let server: FhirServer;

let during: Meanwhile;

beforeAll(async () => {
  server = await fhirServer();
  during = meanwhile(server);
  // After all that the messages of these tests were said.
  server.setTime(Date.UTC(2026, 5, 1));
  await registerSender(server);
});

const search = async <T extends fhir4.Resource>(query: string): Promise<Stored<T>[]> => {
  const { body, status } = await server.get(query, { as: system });
  expect(status, JSON.stringify(body)).toBe(200);
  return resourcesIn(body)
    .map((resource) => stored<T>(resource))
    .filter(({ resourceType }) => resourceType !== 'OperationOutcome');
};

const patientOf = async (number: string): Promise<Stored<fhir4.Patient>[]> =>
  search<fhir4.Patient>(`Patient?identifier=${numbers.patient}|${number}`);

const pid = (number: string, rest = 'Rivera^Ana||19800229|F') => `PID|1||${number}^^^HOSP^MR||${rest}`;

describe('POST /hl7/v2', () => {
  it('registers the patient and the visit of an admission, and closes it with the discharge', async () => {
    const visit = (rest = '') => `PV1|1|I|4W^12^A^HOSP||||77^Okafor^Ngozi||||||||||||V-1${rest}`;
    const admitted = await send(
      server,
      message('ADT^A01^ADT_A01', [
        'EVN||20260301110000',
        pid('1'),
        'NK1|1|Rivera^Luis|SPO',
        visit(),
        'AL1|1|DA|1191^Aspirin^RXNORM|SV|hives',
        'DG1|1||I10^Hypertension^I10C||20260301|A',
        segment('IN1', { 1: '1', 2: 'PLAN', 3: '77', 4: 'Acme', 8: 'G1', 12: '20260101', 17: 'SEL', 36: 'POL-1' }),
      ]),
    );
    const [patient] = await patientOf('1');
    const ofChart = <T extends fhir4.Resource>(type: string) => search<T>(`${type}?patient=${patient?.id}`);

    expect([admitted.status, admitted.headers['content-type'], verdictOf(admitted)]).toEqual([
      200,
      'x-application/hl7-v2+er7; charset=utf-8',
      ['AA'],
    ]);
    expect(patient).toMatchObject({
      name: [{ family: 'Rivera', given: ['Ana'] }],
      birthDate: '1980-02-29',
      gender: 'female',
    });
    expect(await ofChart('Encounter')).toMatchObject([
      {
        status: 'in-progress',
        class: { code: 'IMP' },
        period: { start: '2026-03-01T11:00:00-05:00' },
        location: [{ location: { display: 'HOSP-4W-12-A' } }],
      },
    ]);
    expect(await ofChart('RelatedPerson')).toMatchObject([{ relationship: [{ coding: [{ code: 'SPS' }] }] }]);
    expect(await ofChart('AllergyIntolerance')).toMatchObject([
      { criticality: 'high', reaction: [{ manifestation: [{ text: 'hives' }] }] },
    ]);
    expect(await ofChart('Condition')).toMatchObject([{ verificationStatus: { coding: [{ code: 'provisional' }] } }]);
    expect(await ofChart('Coverage')).toMatchObject([
      { subscriberId: 'POL-1', relationship: { coding: [{ code: 'self' }] } },
    ]);

    await send(server, message('ADT^A03', ['EVN||20260303090000', pid('1'), visit()]));

    expect(await ofChart('Encounter')).toMatchObject([
      { status: 'finished', period: { end: '2026-03-03T09:00:00-05:00' } },
    ]);
  });

  it('answers the same control id with the same acknowledgement, writes nothing, and rejects another message under it', async () => {
    const text = message('ADT^A04', ['EVN||20260301110000', pid('2')], { id: 'SAME' });
    const once = await send(server, text);
    const again = await send(server, text);
    const other = await send(server, text.replace('Rivera', 'Okafor'));

    expect(again.text).toBe(once.text);
    expect(verdictOf(other)).toEqual(['AR', 'E 205 MSH^1^10']);
    expect((await patientOf('2')).map(({ meta }) => meta.versionId)).toEqual(['1']);
  });

  it('lets an older message say only what no later one has said', async () => {
    await send(server, message('ADT^A04', ['EVN||20260301110000', pid('3')]));
    await send(server, message('ADT^A08', ['EVN||20260301130000', pid('3', 'Rivera-Luna^Ana')]));
    const late = await send(
      server,
      message('ADT^A08', ['EVN||20260301120000', pid('3', 'Wrong^Ana||||||1 Main St^^Springfield')]),
    );

    expect(verdictOf(late)).toEqual(['AA', 'I 0 MSH^1^7']);
    expect(await patientOf('3')).toMatchObject([
      { name: [{ family: 'Rivera-Luna' }], birthDate: '1980-02-29', address: [{ city: 'Springfield' }] },
    ]);

    await send(server, message('ADT^A08', ['EVN||20260301140000', pid('3', 'Rivera-Luna^Ana||""')]));
    expect((await patientOf('3'))[0]).not.toHaveProperty('birthDate');
  });

  it('keeps what cannot be filed with its reason, and files it with what was said before it once that is mended', async () => {
    const sch = (start: string) =>
      segment('SCH', { 2: 'A-4', 7: 'CHECKUP^Check-up^LOCAL', 9: '30', 10: 'M', 11: `^^^${start}` });
    const moved = await send(server, message('SIU^S13', [sch('20260502100000'), pid('4')], { at: '20260302120000' }));
    const booked = await send(
      server,
      message('SIU^S12', [sch('20260501090000'), pid('4'), 'AIP|1||78^Adeyemi^Tola'], { at: '20260301120000' }),
    );
    const [taskOfMove, taskOfBooking] = [moved, booked].map(taskOf);
    const task = await server.get(`Task/${taskOfMove}`, { as: { role: 'frontdesk' } });
    const inbox = await server.get('Task/$inbox?_count=200', { as: { role: 'frontdesk' } });

    expect(verdictOf(moved)).toEqual(['AA', 'W 204 PID^1^3']);
    expect(task.body).toMatchObject({ businessStatus: { coding: [{ code: 'patient-unknown' }] }, status: 'requested' });
    expect(task.text).not.toMatch(/Rivera|CHECKUP/);
    expect(resourcesIn(inbox.body).map(({ id }) => String(id))).toEqual(
      expect.arrayContaining([taskOfMove, taskOfBooking]),
    );
    expect(outcomes(await replay(taskOfMove))).toEqual(['waits', 'waits']);

    await send(server, message('ADT^A04', [pid('4')]));
    const replayed = await replay(taskOfMove);
    const [patient] = await patientOf('4');

    expect(outcomes(replayed)).toEqual(['filed', 'filed']);
    expect(await search(`Appointment?patient=${patient?.id}`)).toMatchObject([
      {
        status: 'booked',
        start: '2026-05-02T14:00:00.000Z',
        end: '2026-05-02T14:30:00.000Z',
        participant: [{ actor: { display: 'Tola Adeyemi' } }, { actor: { reference: `Patient/${patient?.id}` } }],
      },
    ]);
    expect((await replay(taskOfMove)).body).toMatchObject({
      issue: [{ details: { coding: [{ code: 'not-waiting' }] } }],
    });
  });

  it('keeps a critical result of nobody known as what cannot wait', async () => {
    const result = (flag: string) =>
      message('ORU^R01', [
        pid('stat-9', 'Vex^Ulf||19310303|M'),
        segment('OBR', { 1: '1', 3: `F-${flag}`, 4: '2823-3^Potassium^LN', 22: '20260301100000', 25: 'F' }),
        segment('OBX', { 1: '1', 2: 'NM', 3: '2823-3^Potassium^LN', 5: '6.9', 6: 'mmol/L^^UCUM', 8: flag, 11: 'F' }),
      ]);
    const priorityOf = async (flag: string) => {
      const waiting = await send(server, result(flag));
      return (
        (await server.get(`Task/${taskOf(waiting)}`, { as: { role: 'frontdesk' } })).body as unknown as fhir4.Task
      ).priority;
    };

    expect([await priorityOf('HH'), await priorityOf('H~LL'), await priorityOf('H')]).toEqual([
      'stat',
      'stat',
      undefined,
    ]);
  });

  it('discards a message that waits, for a reason', async () => {
    const task = taskOf(
      await send(server, message('VXU^V04', [pid('unknown'), 'RXA|0|1|20260101||140^Influenza^CVX|0.5'])),
    );
    const without = await operate(task, 'discard', { resourceType: 'Parameters' });
    const discarded = await operate(task, 'discard', {
      resourceType: 'Parameters',
      parameter: [{ name: 'reason', valueString: 'Sent to the wrong place' }],
    });

    expect([without.status, discarded.status]).toEqual([400, 204]);
    expect((await server.get(`Task/${task}`, { as: system })).body).toMatchObject({
      status: 'rejected',
      statusReason: { text: 'Sent to the wrong place' },
    });
    expect((await replay(task)).status).toBe(422);
  });

  it('merges two records, so that it can be undone, and says that it did so only once', async () => {
    for (const number of ['5', '6'])
      await send(server, message('ADT^A04', [pid(number, `Halloran${number}^Kit||1950010${number}|M`)]));
    const merge = () => message('ADT^A40^ADT_A39', [pid('5', ''), 'MRG|6^^^HOSP^MR']);
    const [first, second] = [await send(server, merge()), await send(server, merge())];
    const [kept] = await patientOf('5');

    expect([verdictOf(first), verdictOf(second)]).toEqual([['AA'], ['AA']]);
    expect(kept?.link).toMatchObject([{ type: 'replaces' }]);
    expect(kept?.meta.versionId).toBe('2');
  });

  it('stores orders and vaccinations under their numbers, and what becomes of them', async () => {
    await send(server, message('ADT^A04', [pid('7')]));
    const order = (control: string) => [pid('7'), `ORC|${control}|O-7`, 'OBR|1|O-7||2345-7^Glucose^LN'];
    for (const control of ['NW', 'HD'])
      await send(
        server,
        message('ORM^O01', order(control), { at: control === 'NW' ? '20260301120000' : '20260301130000' }),
      );
    await send(
      server,
      message('VXU^V04', [
        pid('7'),
        'ORC|RE||I-7',
        'RXA|0|1|20260301||140^Influenza^CVX|0.5|mL^^UCUM||00^New^NIP001||||||LOT9',
        'RXR|IM^Intramuscular^HL70162',
      ]),
    );
    const [patient] = await patientOf('7');

    expect(await search(`ServiceRequest?patient=${patient?.id}`)).toMatchObject([
      { status: 'on-hold', intent: 'order', code: { coding: [{ code: '2345-7', system: 'http://loinc.org' }] } },
    ]);
    expect(await search(`Immunization?patient=${patient?.id}`)).toMatchObject([
      {
        status: 'completed',
        occurrenceDateTime: '2026-03-01',
        primarySource: true,
        doseQuantity: { value: 0.5, code: 'mL' },
        lotNumber: 'LOT9',
        identifier: [{ system: `${numbers.order}:filler`, value: 'I-7' }],
      },
    ]);
  });

  it('files reports of a laboratory on the patient who bears the number, with what they say to the letter', async () => {
    await send(server, message('ADT^A04', [pid('10')]));
    const report = (state: string, glucose: string, reported: string) =>
      message('ORU^R01', [
        pid('10'),
        segment('OBR', { 1: '1', 3: 'R-10', 4: '24323-8^CMP^LN', 7: '20260301090000', 22: reported, 25: state }),
        segment('OBX', {
          1: '1',
          2: 'NM',
          3: '2345-7^Glucose^LN',
          5: glucose,
          6: 'mg/dL^^UCUM',
          7: '70-99',
          8: 'H',
          11: state,
        }),
        'NTE|1||Fasting',
        'SPM|1|^S-10||119297000^Blood^SCT',
      ]);
    const answers = [];
    for (const text of [
      report('P', '101', '20260301100000'),
      report('F', '102.50', '20260301120000'),
      report('P', '103', '20260301110000'),
    ])
      answers.push(verdictOf(await send(server, text)));
    const [patient] = await patientOf('10');
    const { text } = await server.get(`Observation?patient=${patient?.id}`, { as: system });

    expect(answers).toEqual([['AA'], ['AA'], ['AA', 'I 0 OBR^1^22']]);
    expect(await search(`DiagnosticReport?patient=${patient?.id}`)).toMatchObject([
      { status: 'final', issued: '2026-03-01T17:00:00.000Z' },
    ]);
    expect(text).toContain('"value":102.50');
    expect(await search(`Observation?patient=${patient?.id}`)).toMatchObject([
      { status: 'final', referenceRange: [{ text: '70-99', low: { value: 70 } }], note: [{ text: 'Fasting' }] },
    ]);
    expect(await search(`Specimen?patient=${patient?.id}`)).toMatchObject([
      { type: { coding: [{ code: '119297000' }] } },
    ]);
  });

  it('lets wait what tells of somebody else than the patient who bears the number, but for one who has married', async () => {
    await send(server, message('ADT^A04', [pid('15', 'Jansson^Lucia||19500505|F')]));
    const [patient] = await patientOf('15');
    const report = (filler: string, who: string, reported = '20260301') =>
      message('ORU^R01', [
        pid('15', who),
        segment('OBR', { 1: '1', 3: filler, 4: '2345-7^Glucose^LN', 22: reported, 25: 'F' }),
      ]);
    const order = (who: string) => message('ORM^O01', [pid('15', who), 'ORC|NW|O-15', 'OBR|1|O-15||2345-7^Glucose^LN']);
    const answers = [];
    for (const text of [
      report('R-15-1', 'Kovacs^Renzo||19710101|M'),
      order('Kovacs^Renzo||19710101|M'),
      report('R-15-2', 'Moreau^Lucia||19500505|F'),
      order('Jansson^Lucia||19500506|F'),
      report('R-15-3', 'Jansson^Lucia||19500505|F', '20990101'),
    ])
      answers.push(verdictOf(await send(server, text)));

    expect(answers).toEqual([
      ['AA', 'W 204 PID^1^3'],
      ['AA', 'W 204 PID^1^3'],
      ['AA'],
      ['AA'],
      ['AA', 'W 102 OBR^1^22'],
    ]);
    expect(await search(`DiagnosticReport?patient=${patient?.id}`)).toMatchObject([
      { identifier: [{ value: 'R-15-2' }] },
    ]);
    expect(await search(`ServiceRequest?patient=${patient?.id}`)).toHaveLength(1);
  });

  it('lets an order have the report that came before it, by its number', async () => {
    await send(server, message('ADT^A04', [pid('16')]));
    const report = (number: string, state: string) =>
      message('ORU^R01', [
        pid('16'),
        segment('OBR', {
          1: '1',
          2: `O-${number}`,
          3: `R-${number}`,
          4: '2345-7^Glucose^LN',
          22: '20260301',
          25: state,
        }),
      ]);
    const order = (...of: string[]) =>
      message('ORM^O01', [
        pid('16'),
        ...of.flatMap((number) => [
          segment('ORC', { 1: 'NW', 2: `O-${number}` }),
          segment('OBR', { 2: `O-${number}`, 4: '2345-7^Glucose^LN' }),
        ]),
      ]);
    for (const text of [report('16-1', 'F'), report('16-2', 'P'), order('16-1', '16-2', '16-3')])
      expect(verdictOf(await send(server, text))).toEqual(['AA']);
    const [patient] = await patientOf('16');
    const orders = async () =>
      (await search<fhir4.ServiceRequest>(`ServiceRequest?patient=${patient?.id}`))
        .map(({ id, status, identifier }) => [identifier?.[0]?.value, status, `ServiceRequest/${id}`] as const)
        .sort();
    const [first, second] = await orders();
    const reports = await search<fhir4.DiagnosticReport>(`DiagnosticReport?patient=${patient?.id}`);

    expect((await orders()).map(([number, status]) => [number, status])).toEqual([
      ['O-16-1', 'completed'],
      ['O-16-2', 'active'],
      ['O-16-3', 'active'],
    ]);
    expect(Object.fromEntries(reports.map(({ status, basedOn }) => [status, basedOn]))).toEqual({
      final: [{ reference: first?.[2] }],
      preliminary: [{ reference: second?.[2] }],
    });

    await send(server, report('16-2', 'F'));
    expect((await orders()).map(([, status]) => status)).toEqual(['completed', 'completed', 'active']);
  });

  it.each([
    ['an order comes while its report is filed', '17'],
    ['a report comes while its order is', '18'],
  ])('lets them find each other where %s, at whatever moment', async (_, prefix) => {
    const report = (number: string) =>
      message('ORU^R01', [
        `PID|1||${number}^^^HOSP`,
        segment('OBR', { 2: `O-${number}`, 3: `R-${number}`, 4: '2345-7^Glucose^LN', 22: '20260301', 25: 'F' }),
      ]);
    const order = (number: string) =>
      message('ORM^O01', [`PID|1||${number}^^^HOSP`, `ORC|NW|O-${number}`, `OBR|1|O-${number}||2345-7^Glucose^LN`]);
    const [first, second] = prefix === '17' ? [report, order] : [order, report];
    const moments = await atEachMoment(
      prefix,
      async (number) => {
        await send(server, message('ADT^A04', [pid(number, `Moreau^Otto${number}||19660606|M`)]));
        return first(number);
      },
      second,
      async (number) => {
        const [patient] = await patientOf(number);
        expect([number, await search(`ServiceRequest?patient=${patient?.id}`)]).toMatchObject([
          number,
          [{ status: 'completed' }],
        ]);
      },
    );
    expect(moments).toBeGreaterThan(3);
  });

  it('lets a report wait for its patient where nobody is anywhere near', async () => {
    const nobody = message('ORU^R01', [
      pid('11', 'Quux^Zed||19330303|M'),
      segment('OBR', { 1: '1', 3: 'R-11', 4: '2345-7^Glucose^LN', 22: '20260301', 25: 'F' }),
    ]);
    expect(verdictOf(await send(server, nobody))).toEqual(['AA', 'W 204 PID^1^3']);
  });

  const glucose = (number: string, state: string, at: string) =>
    message('ORU^R01', [
      `PID|1||${number}^^^HOSP^MR`,
      segment('OBR', { 1: '1', 3: `R-${number}`, 4: '2345-7^Glucose^LN', 7: '20260301', 22: at, 25: state }),
      segment('OBX', { 1: '1', 2: 'NM', 3: '2345-7^Glucose^LN', 5: state === 'F' ? '102' : '101', 11: state }),
    ]);

  /** Sends a message, and another before each of its calls in turn, of a patient of its own each time. @returns what both were answered. */
  const atEachMoment = async (
    prefix: string,
    first: (number: string) => Promise<string> | string,
    second: (number: string) => string,
    sound: (number: string, answers: readonly TestResponse[]) => Promise<void>,
  ): Promise<number> => {
    for (let moment = 1; ; moment++) {
      const number = `${prefix}-${moment}`;
      const text = await first(number);
      let other: TestResponse | undefined;
      const answer = await during(
        () => send(server, text),
        async (call) => {
          if (call === moment) other = await send(server, second(number));
        },
      );
      if (!other) return moment - 1;
      await sound(number, [answer, other]);
    }
  };

  it('files a report whose patient is registered while it is looked at, or lets the message wait', async () => {
    const filed = new Set<boolean>();
    const moments = await atEachMoment(
      '12',
      (number) => glucose(number, 'F', '20260301120000'),
      (number) => message('ADT^A04', [pid(number, `Farrow^Zed${number}||19330303|M`)]),
      async (number, [answer]) => {
        const task = taskOf(answer as TestResponse);
        if (task !== '') expect(outcomes(await replay(task))).toEqual(['filed']);
        const [patient] = await patientOf(number);
        expect(await search(`DiagnosticReport?patient=${patient?.id}`)).toMatchObject([{ status: 'final' }]);
        filed.add(task === '');
      },
    );
    expect(moments).toBeGreaterThan(3);
    expect(filed).toEqual(new Set([true, false]));
  });

  it('shows what is final though a preliminary report is filed at whatever moment beside it', async () => {
    const moments = await atEachMoment(
      '13',
      async (number) => {
        await send(server, message('ADT^A04', [pid(number, `Grozdev^Ida${number}||19440404|F`)]));
        return glucose(number, 'P', '20260301100000');
      },
      (number) => glucose(number, 'F', '20260301120000'),
      async (number, answers) => {
        expect(answers.map((answer) => verdictOf(answer)[0])).toEqual(['AA', 'AA']);
        const [patient] = await patientOf(number);
        for (const type of ['DiagnosticReport', 'Observation'])
          expect(await search(`${type}?patient=${patient?.id}`)).toMatchObject([{ status: 'final' }]);
      },
    );
    expect(moments).toBeGreaterThan(3);
  });

  it.each([
    ['a type that is not taken', message('MFN^M02', []), 'E 200 MSH^1^9'],
    ['an event that is not taken', message('ADT^A99', []), 'E 201 MSH^1^9'],
    ['a version that is not taken', message('ADT^A01', [], { version: '9.9' }), 'E 203 MSH^1^12'],
    ['a test message', message('ADT^A01', []).replace('|P|2.5.1', '|T|2.5.1'), 'E 202 MSH^1^11'],
    ['letters that are not read', message('ADT^A01', []).replace('|2.5.1', '|2.5.1||||||ISO IR87'), 'E 103 MSH^1^18'],
    ['a message without a control id', message('ADT^A01', [], { id: '' }), 'E 100 MSH^1^10'],
  ])('rejects %s', async (_, text, error) => {
    expect(verdictOf(await send(server, text))).toEqual(['AR', error]);
  });

  it.each([
    ['an unknown sender', message('ADT^A01', [pid('8')]).replace('|APP|', '|OTHER|'), 'W 204 MSH^1^3'],
    ['a patient without a known number', message('ADT^A01', ['PID|1||8^^^ELSEWHERE||Moreau^Al']), 'W 204 PID^1^3'],
    ['what is said in years to come', message('ADT^A01', [pid('8')], { at: '20990101' }), 'W 102 MSH^1^7'],
    ['an offset that is none', message('ADT^A01', [pid('8')], { at: '20260301120000+0099' }), 'W 102 MSH^1^7'],
    ['a time that is none', message('ADT^A01', [pid('8', 'Moreau^Al||19801332|M')]), 'W 102 PID^1^7'],
    ['a code that its table does not have', message('ADT^A01', [pid('8', 'Moreau^Al||19800101|Q')]), 'W 103 PID^1^8'],
    [
      'more than can be filed at once',
      message('ADT^A01', [pid('8'), ...Array.from({ length: 201 }, (_, number) => `AL1|${number}|DA|^Dust ${number}`)]),
      'W 207 MSH^1^9',
    ],
    [
      'what a rule is against',
      message('ADT^A01', [
        pid('8', 'Moreau^Al||19800101|M'),
        'PV1|1|I|||||||||||||||||V-8|||||||||||||||||||||||||20260302|20260301',
      ]),
      'W 207 MSH^1^9',
    ],
  ])('keeps %s until it is mended', async (_, text, error) => {
    expect(verdictOf(await send(server, text))).toEqual(['AA', error]);
    expect(await patientOf('8')).toEqual([]);
  });

  it('takes messages of applications of the organisation alone, and as what they are', async () => {
    const text = message('ADT^A04', [pid('9')]);
    const path = `${base.replace('/fhir', '')}/hl7/v2`;
    const typed = (type: string) => ({ 'content-type': type });

    expect((await server.post(path, text, { as: { role: 'physician' }, headers: typed('text/plain') })).status).toBe(
      403,
    );
    expect((await send(server, text, typed('application/fhir+json'))).status).toBe(415);
    expect((await send(server, 'no message', typed('text/plain'))).status).toBe(400);
    expect((await send(server, `FHS|^~\\&|APP|FAC\r${text}`)).status).toBe(400);
    expect((await server.get(path, { as: system })).status).toBe(405);
    expect(await patientOf('9')).toEqual([]);
    expect(verdictOf(await send(server, text.replaceAll('\r', '\r\n'), typed('text/plain; charset=utf-8')))).toEqual([
      'AA',
    ]);
  });

  it('reads what another organisation has said of a sender for nobody else', async () => {
    const elsewhere = { role: 'system', organization: 'lakeside' };
    const answer = await server.post(`${base.replace('/fhir', '')}/hl7/v2`, message('ADT^A04', [pid('9')]), {
      as: elsewhere,
      headers: { 'content-type': 'text/plain' },
    });

    expect(verdictOf(answer)).toEqual(['AA', 'W 204 MSH^1^3']);
  });
});

const taskOf = ({ text }: TestResponse): string => /Task\/([\w.-]+)/.exec(text)?.[1] ?? '';

const operate = (task: string, operation: 'replay' | 'discard', body: unknown) =>
  server.post(`${base.replace('/fhir', '')}/hl7/v2/waiting/${task}/$${operation}`, body, { as: system });

const replay = (task: string | undefined) => operate(task ?? '', 'replay', undefined);

const outcomes = ({ body }: TestResponse): (string | undefined)[] =>
  ((body as unknown as fhir4.Parameters).parameter ?? []).map(
    ({ part = [] }) => part.find(({ name }) => name === 'outcome')?.valueCode,
  );
