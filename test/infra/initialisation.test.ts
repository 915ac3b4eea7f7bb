import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { functionEntries } from '../../infra/concord-stacks.ts';
import { deployedFunctions } from '../support/deployed-functions.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';

const probe = path.resolve(import.meta.dirname, '../support/io-probe.ts');

/**
 * What files reach for that are loaded without a single environment variable, each when nothing is left to do for the one before: they share
 * a process, whose start takes longer than all that a file does in it.
 */
const reachedBy = async (files: readonly string[]): Promise<unknown[]> => {
  const { stdout } = await promisify(execFile)(process.execPath, [probe, ...files], { env: {} });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
};

// Lambda gives initialisation ten seconds and no request to answer to: what is slow or fails there fails every request.
describe('initialisation', () => {
  let reached: Map<string, unknown>;
  beforeAll(async () => {
    const { folderOf } = await deployedFunctions();
    const found = await reachedBy(functionEntries.map((entry) => path.join(folderOf(entry), 'index.js')));
    expect(found).toHaveLength(functionEntries.length);
    reached = new Map(functionEntries.map((entry, index) => [entry, found[index]]));
  });

  // The dictionary of stored bodies lies beside the code, and a request cannot wait for it.
  const dictionary = ['fs.readFileSync', 'fs.openSync', 'fs.readSync', 'fs.closeSync'];

  const readsNoBodies =
    /(?:-digests|add-token-claims|add-patient-claims|follow-user-pool|file-accesses|file-held-accesses|canary|tick-subscriptions)\.ts$/;

  it.each(functionEntries)('of %s reaches for no file but the dictionary, no network and no process', (entry) => {
    expect(reached.get(entry)).toEqual(readsNoBodies.test(entry) ? [] : dictionary);
  });

  it('would be found to reach out', async () => {
    const folder = removedAfterTest();
    const samples: readonly (readonly [code: string, expected: readonly string[]])[] = [
      ['require("node:fs").readFileSync(__filename)', ['fs.readFileSync']],
      ['require("fs/promises").readFile(__filename)', ['fs.promises.readFile']],
      ['const { lookup } = require("node:dns"); lookup("localhost", () => {})', ['dns.lookup']],
      ['require("node:child_process").spawn(process.execPath, ["-e", ""])', ['child_process.spawn']],
      ['setTimeout(() => fetch("http://127.0.0.1:9").catch(() => {}), 5)', ['global.fetch']],
      ['new (require("node:net").Socket)().on("error", () => {}).connect(9, "127.0.0.1")', ['net.Socket.connect']],
      ['require("node:http").get("http://127.0.0.1:9").on("error", () => {})', ['http.get']],
      // These may load what would reach out, and what others did before them is not theirs.
      ['new (require("node:http").Agent)(); require("node:fs"); module.exports = {}', []],
    ];
    const files = samples.map(([code], index) => {
      const file = path.join(folder, `${index}.js`);
      writeFileSync(file, code);
      return file;
    });

    const found = await reachedBy(files);

    expect(found).toEqual(
      samples.map(([, expected]) => (expected.length > 0 ? (expect.arrayContaining([...expected]) as unknown) : [])),
    );
  });
});
