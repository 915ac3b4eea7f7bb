import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addPack, checkedPack, packFile } from '../../../infra/knowledge-pack.ts';
import { parseStage, stages } from '../../../infra/stages.ts';
import { knowledge } from '../../../shared/interactions/order-checks/knowledge-in-use.ts';
import { builtInPack } from '../../../shared/order-checks/built-in.ts';
import { checkOrder } from '../../../shared/order-checks/check-order.ts';

// A deployment's own pack: used as it is, or not at all.

let folder: string;
let before: string | undefined;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'concord-pack-'));
  before = process.env['KNOWLEDGE_PACK'];
});
afterEach(async () => {
  if (before === undefined) delete process.env['KNOWLEDGE_PACK'];
  else process.env['KNOWLEDGE_PACK'] = before;
  await rm(folder, { recursive: true });
});

const packWith = (elements: object = {}) => ({
  edition: 'ours-7',
  date: '2026-11-01',
  licence: 'Ours',
  sources: [{ id: 'formulary', title: 'Formulary', url: 'https://formulary.example/7' }],
  ...elements,
});
const adding = async (elements: object = {}) =>
  packWith({
    addsTo: (await builtInPack()).edition,
    interactions: [
      {
        id: 'our-warfarin-metformin',
        between: ['warfarin', 'metformin'],
        severity: 'serious',
        text: 'Ours says so.',
        source: 'formulary',
        where: 'p. 12',
      },
    ],
    ...elements,
  });
const written = async (content: unknown, name = 'pack.json'): Promise<string> => {
  const file = path.join(folder, name);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
};
const inUse = (file: string) => {
  process.env['KNOWLEDGE_PACK'] = file;
  return knowledge();
};
const medicine = (code: string) => ({
  coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code }],
});
const order = { resourceType: 'MedicationRequest', status: 'draft', intent: 'order', subject: {} } as const;
const checked = (pack: Awaited<ReturnType<typeof knowledge>>) =>
  checkOrder(
    { ...order, medicationCodeableConcept: medicine('11289') },
    {
      patient: undefined,
      medicines: [{ ...order, id: 'm', status: 'active', medicationCodeableConcept: medicine('6809') }],
      allergies: [],
      conditions: [],
      observations: [],
      medications: new Map(),
    },
    pack,
    Date.now(),
  );

describe('knowledge', () => {
  it('is what Concord brings along where a deployment names nothing', async () => {
    expect(await inUse('')).toBe(await builtInPack());
  });

  it('has the rows that a deployment adds, with their source and both editions', async () => {
    const pack = await inUse(await written(await adding()));

    expect(checked(pack).findings).toMatchObject([
      {
        rule: 'our-warfarin-metformin',
        source: { title: 'Formulary', url: 'https://formulary.example/7', where: 'p. 12' },
        edition: `${(await builtInPack()).edition} + ours-7`,
      },
    ]);
  });

  it('is a pack that stands alone where that names no other', async () => {
    const pack = await inUse(await written(packWith()));

    expect([pack?.edition, pack?.ingredients]).toEqual(['ours-7', []]);
    expect(checked(pack).notChecked.map(({ code }) => code)).toContain('order-unknown');
  });

  it.each([
    ['missing', undefined],
    ['no JSON', '{'],
    ['wrong', packWith({ interactions: [{ id: 'x' }] })],
    ['for another edition', packWith({ addsTo: 'another' })],
  ])('is nothing where the pack is %s: nothing is checked, and that is said', async (name, content) => {
    const file = content === undefined ? path.join(folder, 'nowhere.json') : await written(content, `${name}.json`);
    const { findings, notChecked, edition } = checked(await inUse(file));

    expect([findings, edition]).toEqual([[], undefined]);
    expect(new Set(notChecked.map(({ code }) => code))).toEqual(new Set(['no-pack', 'not-shown']));
  });
});

describe('a pack that is deployed', () => {
  it('is refused with its row and its reason before anything is', async () => {
    const rule = {
      id: 'our-rule',
      between: ['warfarin', 'nothing'],
      severity: 'serious',
      text: 'x',
      source: 'hearsay',
      where: 'y',
    };
    const file = await written(await adding({ interactions: [rule] }));

    await expect(checkedPack(file)).rejects.toThrow('interactions[0] our-rule: there is no source hearsay');
    await expect(checkedPack(await written(packWith({ addsTo: 'another' })))).rejects.toThrow('addsTo: it is for');
  });

  it('lies beside the functions', async () => {
    const file = await written(await adding());
    await addPack(file, ['functions/system.ts'], () => folder);
    await addPack(undefined, ['functions/system.ts'], () => path.join(folder, 'nowhere'));

    expect(await readFile(path.join(folder, packFile), 'utf8')).toBe(await readFile(file, 'utf8'));
    expect(parseStage({ ...stages[0], knowledgePack: file }).knowledgePack).toBe(file);
  });
});
