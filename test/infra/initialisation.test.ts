import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BundleFolder, bundleFunctions } from '../../infra/bundle-function.ts';
import { functionEntries } from '../../infra/concord-stacks.ts';

const probe = path.resolve(import.meta.dirname, '../support/io-probe.ts');
const folder = mkdtempSync(path.join(os.tmpdir(), 'concord-initialisation-'));

let folderOf: BundleFolder;
beforeAll(async () => {
  folderOf = await bundleFunctions(functionEntries, folder);
}, 600_000); // bundling all functions takes minutes where other work goes on
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What a file reaches for when it is loaded in a fresh process, without a single environment variable. */
const reachedBy = async (file: string): Promise<unknown> => {
  const { stdout } = await promisify(execFile)(process.execPath, [probe, file], { env: {} });
  return JSON.parse(stdout) as unknown;
};

const reachedByCode = (code: string): Promise<unknown> => {
  const file = path.join(folder, 'sample.js');
  writeFileSync(file, code);
  return reachedBy(file);
};

// Lambda gives initialisation ten seconds and no request to answer to: what is slow or fails there fails every request.
describe('initialisation', () => {
  it.each(functionEntries)('of %s reaches for no file, no network and no process', async (entry) => {
    expect(await reachedBy(path.join(folderOf(entry), 'index.js'))).toEqual([]);
  });

  it.each([
    ['require("node:fs").readFileSync(__filename)', ['fs.readFileSync']],
    ['require("fs/promises").readFile(__filename)', ['fs.promises.readFile']],
    ['const { lookup } = require("node:dns"); lookup("localhost", () => {})', ['dns.lookup']],
    ['require("node:child_process").spawn(process.execPath, ["-e", ""])', ['child_process.spawn']],
    ['setTimeout(() => fetch("http://127.0.0.1:9").catch(() => {}), 5)', ['global.fetch']],
    ['new (require("node:net").Socket)().on("error", () => {}).connect(9, "127.0.0.1")', ['net.Socket.connect']],
    ['require("node:http").get("http://127.0.0.1:9").on("error", () => {})', ['http.get']],
  ])('would be found to reach out: %s', async (code, expected) => {
    expect(await reachedByCode(code)).toEqual(expect.arrayContaining(expected));
  });

  it('may load what would reach out', async () => {
    expect(await reachedByCode('new (require("node:http").Agent)(); require("node:fs"); module.exports = {}')).toEqual(
      [],
    );
  });
});
