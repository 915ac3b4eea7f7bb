import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseJson } from '../../../shared/fhir/json.ts';
import { localPassword } from '../../local/users.ts';
import type { Place } from '../admin/place.ts';
import { defineVerb, Misunderstood, needed, type Report, requireNoWords, type Surroundings } from '../admin/verb.ts';
import { CommandFailed } from '../command.ts';
import { findRunningServer } from '../running-server.ts';
import { signIn } from '../sign-in.ts';
import { gatherCharts, type ReadFhir } from './gather.ts';
import { packHtml } from './pack-content.ts';
import { packKey, sealedPage, shortestPassphrase } from './seal-page.ts';

/** Charts of a page: some 20 KB each. */
const chartsOnPage = 100;
const dayMs = 86_400_000;

/** Variables that hold what no command line should show. */
const passphraseVariable = 'PACK_PASSPHRASE';
const tokenVariable = 'CONCORD_TOKEN';

/** `downtime-pack`: charts to be read while the records cannot be. */
export const downtimePack = defineVerb({
  name: 'downtime-pack',
  summary: 'Writes sealed pages of the charts of those who come next, to be read without a network',
  synopsis: '--organization ID --out FOLDER [--days N] [--in-house] [--user USER]',
  explained: `--organization ID  whose charts, as a heading of the pack
--out FOLDER       a new folder
--days N           of appointments, from today on (UTC); 2 if absent
--in-house         also who is in the house: walks all charts of the organisation
--user USER        of the local server; a stage takes the access token in ${tokenVariable}
The passphrase is in ${passphraseVariable}: ${shortestPassphrase} letters at least`,
  effect: 'reads',
  options: {
    organization: { type: 'string' },
    out: { type: 'string' },
    days: { type: 'string', default: '2' },
    'in-house': { type: 'boolean', default: false },
    user: { type: 'string' },
  },
  understand: ({ values, positionals }) => {
    requireNoWords(positionals);
    const days = Number(values.days);
    if (!Number.isInteger(days) || days < 1 || days > 31) throw new Misunderstood('--days is a number from 1 to 31');
    const organization = needed(values.organization, 'organization');
    return { organization, out: needed(values.out, 'out'), days, inHouse: values['in-house'], user: values.user };
  },
  run: async ({ organization, out, days, inHouse, user }, { place, now, say }: Surroundings): Promise<Report> => {
    const { [passphraseVariable]: passphrase = '', [tokenVariable]: token } = process.env;
    if (passphrase.length < shortestPassphrase)
      throw new CommandFailed(
        `${passphraseVariable} has to hold a passphrase of ${shortestPassphrase} letters at least`,
      );
    const from = await place();
    const read = reading(from, token ?? (await localToken(from, user ?? `physician@${organization}.example`)));
    const wanted = Array.from({ length: days }, (_, day) => new Date(now + day * dayMs).toISOString().slice(0, 10));
    say('reading summaries');
    const { charts, leftOut } = await gatherCharts(read, { days: wanted, inHouse });
    const pages = await writePack(out, packKey(passphrase), { organization, charts, made: now });
    const text = [
      `${charts.length} charts on ${pages.length} pages in ${out}, as of ${new Date(now).toISOString()}`,
      ...(leftOut === 0
        ? []
        : [`${leftOut} charts are not in it: their summaries are refused to this reader, or too large`]),
    ].join('\n');
    return { text, data: { charts: charts.length, leftOut, pages }, leftUndone: leftOut > 0 };
  },
});

/** Writes the pages, and a list of them that shows nobody. */
export const writePack = async (
  folder: string,
  key: ReturnType<typeof packKey>,
  {
    organization,
    charts,
    made,
  }: { readonly organization: string; readonly charts: Parameters<typeof packHtml>[1]; readonly made: number },
): Promise<readonly string[]> => {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0)
    throw new CommandFailed(`${folder} is not empty: pages of another pack beside these would look like one`);
  const all = Math.max(1, Math.ceil(charts.length / chartsOnPage));
  const pages: { readonly name: string; readonly sha256: string; readonly charts: number }[] = [];
  for (let at = 0; at === 0 || at < charts.length; at += chartsOnPage) {
    const some = charts.slice(at, at + chartsOnPage);
    const name = `pack-${pages.length + 1}.html`;
    // Sealed with the page: no manifest that somebody changed hides that one is missing.
    const title = `Downtime pack of ${organization}, page ${pages.length + 1} of ${all}`;
    const html = sealedPage(key, packHtml(title, some, made), made);
    await writeFile(path.join(folder, name), html, { mode: 0o600 });
    pages.push({ name, sha256: createHash('sha256').update(html).digest('hex'), charts: some.length });
  }
  const manifest = { organization, made: new Date(made).toISOString(), sealed: 'AES-256-GCM, PBKDF2-SHA-256', pages };
  await writeFile(path.join(folder, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`, { mode: 0o600 });
  return pages.map(({ name }) => name);
};

const localToken = async ({ stage }: Place, user: string): Promise<string> => {
  if (stage !== undefined)
    throw new CommandFailed(`${tokenVariable} has to hold an access token of somebody who reads charts`);
  return (await signIn(await findRunningServer(), user, localPassword)).accessToken;
};

const reading =
  ({ url }: Place, token: string): ReadFhir =>
  async (asked) => {
    const response = await fetch(asked.startsWith('http') ? asked : `${url}/${asked}`, {
      headers: { authorization: `Bearer ${token}`, accept: 'application/fhir+json' },
    });
    return { status: response.status, body: parseJson(await response.text()) };
  };
