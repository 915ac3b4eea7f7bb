import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, physician, type TestBody } from '../support/fhir-server.ts';
import {
  create,
  elsewhere,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

let server: FhirServer;
let kept: Stored<fhir4.Patient>;
let other: Stored<fhir4.Patient>;

beforeAll(async () => {
  server = await fhirServer();
});
beforeEach(async () => {
  [kept, other] = [await create(server, patientBody()), await create(server, patientBody())];
});

const ask = (operation: string, of: Stored<fhir4.Patient>, source: string, as: TestCaller = physician) =>
  server.post(
    `${pathOf(of)}/${operation}`,
    { resourceType: 'Parameters', parameter: [{ name: 'source', valueReference: { reference: source } }] },
    { as },
  );
const read = async (patient: Stored<fhir4.Patient>): Promise<fhir4.Patient> =>
  (await server.get(pathOf(patient))).body as unknown as fhir4.Patient;
const found = async ({ id }: Stored<fhir4.Patient>): Promise<string[]> =>
  resourcesIn((await server.get(`Observation?patient=${id}`)).body).map(referenceTo);
const codeOf = (body: TestBody) => (body as unknown as fhir4.OperationOutcome).issue[0]?.details?.coding?.[0]?.code;
const observe = (of: Stored<fhir4.Patient>) => create(server, observationBody(referenceTo(of)));

describe('a merge', () => {
  it('lets one patient stand for the other, and shows the records of both in either chart', async () => {
    const records = [referenceTo(await observe(kept)), referenceTo(await observe(other))].sort();

    const { status, body } = await ask('$merge', kept, referenceTo(other));

    expect([status, body]).toMatchObject([
      200,
      { id: kept.id, link: [{ other: { reference: referenceTo(other) }, type: 'replaces' }] },
    ]);
    expect(await read(other)).toMatchObject({
      active: false,
      link: [{ other: { reference: referenceTo(kept) }, type: 'replaced-by' }],
    });
    expect([(await found(kept)).sort(), (await found(other)).sort()]).toEqual([records, records]);
  });

  it('is undone by an unmerge, with what came meanwhile by whom it names', async () => {
    await ask('$merge', kept, referenceTo(other));
    const [ofKept, ofOther] = [referenceTo(await observe(kept)), referenceTo(await observe(other))];

    const { status } = await ask('$unmerge', kept, referenceTo(other));

    expect([status, await found(kept), await found(other)]).toEqual([200, [ofKept], [ofOther]]);
    const [one, two] = [await read(kept), await read(other)];
    expect([one.link, two.link, two.active]).toEqual([undefined, undefined, undefined]);
    expect(codeOf((await ask('$unmerge', kept, referenceTo(other))).body)).toBe('not-merged');
    expect((await ask('$merge', other, referenceTo(kept))).status).toBe(200);
  });

  it.each([true, false, undefined])('is undone exactly: who was active %s before is so again', async (active) => {
    // What another link says of that counts for nothing.
    const extension = [
      {
        url: 'https://concord.example/fhir/StructureDefinition/active-before-merge',
        valueCode: active === false ? 'active' : 'inactive',
      },
    ];
    const link = [{ extension, other: { reference: referenceTo(other) }, type: 'seealso' as const }];
    const before = await create(server, patientBody({ link, ...(active === undefined ? {} : { active }) }));
    await ask('$merge', kept, referenceTo(before));
    expect(await read(before)).toMatchObject({ active: false });
    await ask('$unmerge', kept, referenceTo(before));

    const { meta: _then, ...said } = before;
    const { meta: _now, ...restored } = await read(before);
    expect(restored).toEqual(said);
  });

  it('is made once, of records that stand for themselves', async () => {
    const third = await create(server, patientBody());
    await ask('$merge', kept, referenceTo(other));

    const again = [
      await ask('$merge', kept, referenceTo(other)),
      await ask('$merge', other, referenceTo(third)),
      await ask('$merge', third, referenceTo(other)),
    ];

    expect(again.map(({ status, body }) => [status, codeOf(body)])).toEqual(again.map(() => [422, 'merged-already']));
    expect((await read(third)).link).toBeUndefined();
  });

  it('stays, whatever is written by who has read the patient before, until it is undone', async () => {
    const third = await create(server, patientBody());
    await ask('$merge', kept, referenceTo(other));

    for (const stale of [kept, other])
      await server.put(pathOf(stale), { ...stale, active: true, gender: 'male' } as unknown as TestBody);

    const [one, two] = [await read(kept), await read(other)];
    expect([one, two]).toMatchObject([
      { gender: 'male', active: true, link: [{ type: 'replaces' }] },
      { gender: 'male', active: false, link: [{ type: 'replaced-by' }] },
    ]);
    expect(codeOf((await ask('$merge', third, referenceTo(other))).body)).toBe('merged-already');
    await ask('$unmerge', kept, referenceTo(other));
    expect([(await read(kept)).link, (await read(other)).link]).toEqual([undefined, undefined]);
  });

  it('is not told by a client, but one that was made elsewhere is', async () => {
    const link = [{ other: { reference: referenceTo(other) }, type: 'replaces' as const }];
    const merged = { url: 'https://concord.example/fhir/StructureDefinition/merged', valueBoolean: true };
    const forged = patientBody({ link: link.map((each) => ({ ...each, extension: [merged] })) });

    const stored = await create(server, forged);

    expect(stored.link).toEqual(link);
  });

  it('of two at once in both directions is made in one', async () => {
    const both = await Promise.all([ask('$merge', kept, referenceTo(other)), ask('$merge', other, referenceTo(kept))]);

    expect(both.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
    const links = [(await read(kept)).link, (await read(other)).link].map((link) => link?.map(({ type }) => type));
    expect(links.sort()).toEqual([['replaced-by'], ['replaces']]);
  });

  it.each<[string, () => Promise<{ status: number }>, number]>([
    ['itself', () => ask('$merge', kept, referenceTo(kept)), 400],
    ['somebody who is not there', () => ask('$merge', kept, 'Patient/nobody'), 404],
    ['no patient', () => ask('$merge', kept, 'Group/1'), 400],
    [
      'a patient of another organisation',
      async () => ask('$merge', kept, referenceTo(await create(server, patientBody(), elsewhere))),
      404,
    ],
    ['another, by a pharmacist', () => ask('$merge', kept, referenceTo(other), { role: 'pharmacist' }), 403],
    [
      'another, by the patient',
      () => ask('$merge', kept, referenceTo(other), { role: 'patient', patient: kept.id, scope: 'patient/*.cruds' }),
      403,
    ],
  ])('is not made of a patient and %s', async (_, asked, expected) => {
    expect((await asked()).status).toBe(expected);
    expect((await read(kept)).link).toBeUndefined();
  });
});
