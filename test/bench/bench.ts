/** `npm run bench`: measures what the budgets of docs/budgets.md limit. */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { CommandFailed, runCommand } from '../../infra/cli/command.ts';
import { madeCharts } from './charts.ts';
import { cpuRatios } from './cpu.ts';
import { bundleSizes, functionEntries, initialisations } from './functions.ts';
import { bundlesIn } from './load.ts';
import { measureCounts } from './measure-counts.ts';
import { comparedWithPeer } from './peer.ts';
import { page, timesTable } from './report.ts';
import { newWorld } from './scenarios.ts';
import { times } from './times.ts';

const usage = `Usage: npm run bench -- [options] [folder of FHIR bundles to load]
  --write           writes docs/budgets.md
  --large           also with 100,000 registered patients and a chart of 100,000 Observations, which takes minutes more
  --latency <ms>    times alone, with every call to DynamoDB delayed by this much
  --peer <url>      times alone, over HTTP, beside another FHIR server on this machine; PORT names the local one`;

const options = () => {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        write: { type: 'boolean', default: false },
        large: { type: 'boolean', default: false },
        latency: { type: 'string' },
        peer: { type: 'string' },
      },
    });
    const latency = values.latency === undefined ? undefined : Number(values.latency);
    if (positionals.length <= 1 && (latency === undefined || latency >= 0)) {
      return { ...values, latency, folder: positionals[0] };
    }
  } catch {
    // An unknown option: the usage says more than the parser does.
  }
  throw new CommandFailed(usage);
};

const madeChartCount = 4;
const progress = (doing: string) => console.error(`… ${doing}`);

/** Handlers write a line a request. They still do, so that it is measured, but not between the tables. */
const logsToNowhere = () => {
  const nowhere = openSync(os.devNull, 'w');
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = ((chunk: string | Uint8Array, ...rest: []) =>
    String(chunk).startsWith('{"level":')
      ? writeSync(nowhere, String(chunk)) > 0
      : write(chunk, ...rest)) as typeof write;
  return () => closeSync(nowhere);
};

runCommand(async () => {
  const { write, large, latency, peer, folder } = options();
  if (peer !== undefined) {
    console.log(await comparedWithPeer(peer));
    return 0;
  }
  const stop = logsToNowhere();
  if (latency !== undefined) {
    progress(`times, with ${latency} ms more a call`);
    console.log(timesTable(await times(await newWorld(), latency)));
    return 0;
  }
  const { counts, world } = await measureCounts({
    patients: large ? [1_000, 10_000, 100_000] : [1_000, 10_000],
    organizations: [1_000],
    searched: {
      observations: large ? [100, 1_000, 5_000, 100_000] : [100, 1_000, 5_000],
      patients: [1_000, 10_000],
    },
    charts: folder === undefined ? madeCharts(madeChartCount) : bundlesIn(folder),
    functions: () => bundleSizes(functionEntries()),
    progress,
  });
  progress('initialisation');
  const initialisation = await initialisations(functionEntries());
  progress('CPU');
  const cpu = await cpuRatios(world);
  progress('times');
  const text = page(counts, { cpu, initialisation }, await times(world, undefined));
  console.log(text);
  if (write) {
    const file = path.resolve(import.meta.dirname, '../../docs/budgets.md');
    writeFileSync(file, text);
    progress(`wrote ${file}`);
  }
  stop();
  return 0;
});
