/**
 * Loads a deployed function and calls it with the events that it is given as a JSON list on standard input, one after the other. Its last line
 * of output is the list of answers. Usage: node call-function.ts <index.js>
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { json } from 'node:stream/consumers';

type Handler = (event: unknown, context: object) => Promise<unknown>;

const { handler } = createRequire(import.meta.url)(path.resolve(process.argv[2] ?? '')) as { handler: Handler };
const answers: unknown[] = [];
for (const event of (await json(process.stdin)) as unknown[]) answers.push(await handler(event, {}));
console.log(JSON.stringify(answers));
