/**
 * Loads a deployed function and calls it with the events that it is given as a JSON list on standard input, one after the other. Its last line
 * of output is the list of answers, each with the files of code that were compiled for it. Usage: node call-function.ts <index.js>
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { json } from 'node:stream/consumers';

type Handler = (event: unknown, context: object) => Promise<unknown>;

const require = createRequire(import.meta.url);
const { handler } = require(path.resolve(process.argv[2] ?? '')) as { handler: Handler };
const known = new Set(Object.keys(require.cache));
/** Names of the files that were compiled since it was last asked. */
const compiled = (): string[] => {
  const files = Object.keys(require.cache).filter((file) => !known.has(file));
  for (const file of files) known.add(file);
  return files.map((file) => path.basename(file));
};
const answers: unknown[] = [];
for (const event of (await json(process.stdin)) as unknown[]) {
  const answer = (await handler(event, {})) as object;
  answers.push({ ...answer, compiled: compiled() });
}
console.log(JSON.stringify(answers));
