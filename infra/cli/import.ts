/** `npm run import -- <file or folder>…`: posts bundles, resources and NDJSON through the API, and reports what became of them. */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { localPassword } from '../local/users.ts';
import { CommandFailed, runCommand } from './command.ts';
import { fhirPoster } from './fhir-poster.ts';
import { inOrder, postings } from './import-plan.ts';
import { importRecords } from './import-records.ts';
import { ImportReport } from './import-report.ts';
import { findFiles, inspect, type Source } from './import-sources.ts';
import { startProgress } from './progress.ts';
import { defaultUrl, findRunningServer } from './running-server.ts';
import { signIn, tokenSource } from './sign-in.ts';

const usage = `Usage: npm run import -- <file or folder>… [--user <user>] [--password <password>] [--url <FHIR base URL>] [--resume <import>] [--from-concord]
Takes .json, .ndjson and .gz: bundles, single resources, and resources line by line. An import adds and replaces nothing;
with --resume and the name of one that broke off, it stores nothing a second time; with --from-concord, ids that another Concord made get the prefix x-, and what refers to them too.`;

const options = () => {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        user: { type: 'string', default: 'system@northside.example' },
        password: { type: 'string', default: localPassword },
        resume: { type: 'string', default: randomUUID() },
        url: { type: 'string', default: defaultUrl() },
        'from-concord': { type: 'boolean', default: false },
      },
    });
    if (positionals.length > 0) return { ...values, names: positionals };
  } catch (error) {
    throw new CommandFailed(`${(error as Error).message}\n${usage}`);
  }
  throw new CommandFailed(usage);
};

/** One file at a time: together they may be larger than memory. */
const inspectAll = async (files: readonly string[]): Promise<Source[]> => {
  const sources: Source[] = [];
  for (const file of files) sources.push(await inspect(file));
  return sources;
};

runCommand(async () => {
  const { names, user, password, url, resume: run, 'from-concord': elsewhere } = options();
  const server = await findRunningServer(url);
  const token = tokenSource(() => signIn(server, user, password));
  await token(); // a wrong password is told before any file is read
  const files = await findFiles(names);
  if (files.length === 0)
    throw new CommandFailed(`Nothing to import: no .json, .ndjson or .gz file in ${names.join(', ')}`);
  const sources = inOrder(await inspectAll(files));
  const total = sources.reduce((sum, { entries }) => sum + entries, 0);
  console.error(
    `Importing ${total.toLocaleString('en-US')} resources from ${files.length} files into ${server.url} as ${user}\nIf this breaks off, go on within a day with the same files and --resume ${run}`,
  );
  const report = new ImportReport();
  const progress = startProgress(total);
  try {
    await importRecords(postings(sources, { elsewhere }), fhirPoster({ url: server.url, token, run }), (results) => {
      report.add(results);
      progress.advance(results.length);
    });
  } finally {
    progress.finish();
    console.log(`\n${report.toString()}`);
  }
  return report.total.refused === 0 && report.total.accepted === total ? 0 : 1;
});
