import { createHash, webcrypto } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { gatherCharts } from '../../infra/cli/downtime/gather.ts';
import { chartHtml, type PackedChart } from '../../infra/cli/downtime/pack-content.ts';
import { packKey, sealedPage } from '../../infra/cli/downtime/seal-page.ts';
import { writePack } from '../../infra/cli/downtime/verbs.ts';

const made = Date.UTC(2026, 10, 27, 6);
const passphrase = 'correct horse battery staple';
const key = packKey(passphrase);

const summaryOf = (name: string, sections: fhir4.CompositionSection[] = []): fhir4.Bundle<fhir4.FhirResource> => ({
  resourceType: 'Bundle',
  type: 'document',
  entry: [
    {
      resource: {
        resourceType: 'Composition',
        status: 'final',
        type: {},
        date: '2026-11-27',
        author: [],
        title: 'Patient summary',
        section: sections,
      },
    },
    { resource: { resourceType: 'Patient', name: [{ family: name }], birthDate: '1980-02-03' } },
  ],
});
const narrative = (text: string): fhir4.Narrative => ({
  status: 'generated',
  div: `<div xmlns="http://www.w3.org/1999/xhtml"><p>${text}</p></div>`,
});

/** What a browser does with a page and a passphrase. */
const opened = async (html: string, phrase: string, overrides: Record<string, string> = {}): Promise<string> => {
  const held = {
    ...Object.fromEntries([...html.matchAll(/data-(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value])),
    ...overrides,
  };
  const bytes = (name: string) => Buffer.from(held[name] ?? '', 'base64');
  const raw = await webcrypto.subtle.importKey('raw', Buffer.from(phrase), 'PBKDF2', false, ['deriveKey']);
  const rounds = Number(/iterations: (\d+)/.exec(html)?.[1]);
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt: bytes('salt'), iterations: rounds };
  const derived = await webcrypto.subtle.deriveKey(how, raw, { name: 'AES-GCM', length: 256 }, false, ['decrypt']);
  const options = { name: 'AES-GCM', iv: bytes('iv'), additionalData: Buffer.from(held['made'] ?? '') };
  return Buffer.from(await webcrypto.subtle.decrypt(options, derived, bytes('sealed'))).toString();
};

describe('a sealed page', () => {
  const html = sealedPage(key, '<p>Penicillin</p>', made);

  it('shows its content to whoever has the passphrase, and to nobody else', async () => {
    expect(html).not.toContain('Penicillin');
    expect(await opened(html, passphrase)).toBe('<p>Penicillin</p>');
    await expect(opened(html, 'wrong horse battery staple')).rejects.toThrow();
  });

  it('says how old it is, and does not open where somebody made it younger', async () => {
    expect(html).toContain('As of 2026-11-27T06:00:00.000Z');
    await expect(opened(html, passphrase, { made: '2026-11-28T06:00:00.000Z' })).rejects.toThrow();
  });

  it('needs no network, and runs nothing but its own script', () => {
    const [, script = ''] = /<script>([^]*)<\/script>/.exec(html) ?? [];
    const hash = createHash('sha256').update(script).digest('base64');

    expect(html).toContain(`default-src 'none'; script-src 'sha256-${hash}'`);
    expect(html).not.toMatch(/(?:src|href)="https?:/);
  });

  it('is not sealed by a word', () => {
    expect(() => packKey('password')).toThrow('at least 16');
  });
});

describe('a chart of a pack', () => {
  it('has the patient, the appointments, each section as text, and when it was made', () => {
    const section = { title: 'Allergies and intolerances', text: narrative('Penicillin &lt;b&gt;severe&lt;/b&gt;') };
    const html = chartHtml(
      { appointments: ['2026-11-28T09:00Z'], summary: summaryOf('Oka', [section]) },
      1,
      '2026-11-27T06:00:00.000Z',
    );

    for (const part of [
      'Oka',
      'born 1980-02-03',
      '2026-11-28T09:00Z',
      '<h3>Allergies and intolerances</h3>',
      'As of 2026-11-27T06:00:00.000Z',
    ])
      expect(html).toContain(part);
    expect(html).toContain('Penicillin &#60;b&#62;severe&#60;/b&#62;');
  });

  it('lets no markup of a record into the page', () => {
    const html = chartHtml({ appointments: ['<script>1</script>'], summary: summaryOf('<img onerror=x>') }, 1, '');

    expect(html).not.toMatch(/<script|<img/);
  });

  it('says what binds whoever reads records of a substance-use programme', () => {
    const summary = { ...summaryOf('Oka'), meta: { security: [{ code: '42CFRPart2' }] } };

    expect(chartHtml({ appointments: [], summary }, 1, '')).toContain('42 CFR part 2 prohibits unauthorized use');
  });
});

describe('what a pack is made of', () => {
  const appointment = (patient: string, start: string) => ({
    resource: {
      resourceType: 'Appointment',
      start,
      participant: [{ actor: { reference: patient } }, { actor: { reference: 'Practitioner/p' } }],
    },
  });
  const answers = new Map<string, { status: number; body: unknown }>([
    [
      'Appointment?date=2026-11-27&status=booked,arrived,checked-in,pending&_count=200',
      {
        status: 200,
        body: { entry: [appointment('Patient/b', '2026-11-27T10:00Z')], link: [{ relation: 'next', url: 'more' }] },
      },
    ],
    [
      'more',
      {
        status: 200,
        body: { entry: [appointment('Patient/a', '2026-11-27T08:00Z'), appointment('Patient/c', '2026-11-27T09:00Z')] },
      },
    ],
    [
      'Encounter?status=arrived,triaged,in-progress,onleave&_count=200',
      { status: 200, body: { entry: [{ resource: { subject: { reference: 'Patient/d' } } }] } },
    ],
    ['Patient/a/$summary', { status: 200, body: summaryOf('A') }],
    ['Patient/b/$summary', { status: 200, body: summaryOf('B') }],
    ['Patient/c/$summary', { status: 404, body: {} }],
    ['Patient/d/$summary', { status: 200, body: summaryOf('D') }],
  ]);
  const read = async (asked: string) => answers.get(asked) ?? { status: 500, body: {} };
  const namesOf = (charts: readonly PackedChart[]) =>
    charts.map(({ summary }) => (summary.entry?.[1]?.resource as fhir4.Patient | undefined)?.name?.[0]?.family);

  it('begins with who comes first, then who is in the house, without what its reader may not see', async () => {
    const { charts, leftOut } = await gatherCharts(read, { days: ['2026-11-27'], inHouse: true });

    expect([namesOf(charts), leftOut]).toEqual([['A', 'B', 'D'], 1]);
  });

  it('is nothing where the server fails: a part would look like all', async () => {
    await expect(gatherCharts(read, { days: ['2026-11-28'], inHouse: false })).rejects.toThrow('500');
    const busy = async (asked: string) => (asked.endsWith('$summary') ? { status: 429, body: {} } : read(asked));
    await expect(gatherCharts(busy, { days: ['2026-11-27'], inHouse: false })).rejects.toThrow('429');
  });

  it('is written as pages of a hundred charts and a list of them that names nobody', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'concord-pack-'));
    const charts = Array.from({ length: 101 }, (_, n) => ({ appointments: [], summary: summaryOf(`Family${n}`) }));

    const pages = await writePack(folder, key, { organization: 'northside', charts, made });

    expect(pages).toEqual(['pack-1.html', 'pack-2.html']);
    const manifest = readFileSync(path.join(folder, 'manifest.json'), 'utf8');
    expect(JSON.parse(manifest)).toMatchObject({ organization: 'northside', pages: [{ charts: 100 }, { charts: 1 }] });
    expect(manifest).not.toContain('Family');
    const second = await opened(readFileSync(path.join(folder, 'pack-2.html'), 'utf8'), passphrase);
    expect(second).toContain('Family100');
    expect(second).toContain('page 2 of 2'); // sealed: a page that is taken away is missed
    expect(readdirSync(folder).toSorted()).toEqual(['manifest.json', 'pack-1.html', 'pack-2.html']);
    const again = writePack(folder, key, { organization: 'northside', charts: charts.slice(1), made });
    await expect(again).rejects.toThrow('is not empty');
  });
});
