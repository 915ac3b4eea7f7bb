/**
 * Loads CommonJS files in this process, one after the other, and prints for each, as a line of JSON, which functions it called by which a
 * process reaches outside of itself: while it was loaded, and until nothing that this began is left to do. A function that a file exports may
 * be called, too.
 * Usage: node io-probe.ts <file>[#export]…
 */
import { readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import path from 'node:path';

const reaching = ['child_process', 'dgram', 'dns', 'fs', 'http', 'http2', 'https', 'net', 'tls', 'worker_threads'];
/** They only compute or compare. */
const harmless =
  /^(net\.isIP|net\.(get|set)Default|dns\.(get|set)(Default|Servers)|http\.(validate|setMax)|http2\.get)/;

const touched = new Set<string>();
type Members = Record<string, unknown>;

/** Notes the calls of an object's functions. Classes stay: making an agent or an error reaches nowhere. */
const watch = (members: Members, name: string): void => {
  for (const [key, member] of Object.entries(members)) {
    const each = `${name}.${key}`;
    if (typeof member === 'object' && member !== null && key === 'promises') watch(member as Members, each);
    if (typeof member !== 'function' || !/^[a-z]/.test(key) || harmless.test(each)) continue;
    members[key] = Object.assign(function (this: unknown, ...args: unknown[]) {
      touched.add(each);
      return Reflect.apply(member, this, args) as unknown;
    }, member);
  }
};

const files = process.argv.slice(2).map((argument) => {
  const [name = '', called] = argument.split('#');
  const file = path.resolve(name);
  return { file, called, code: readFileSync(file, 'utf8') };
});
const require = createRequire(import.meta.url);
for (const name of reaching) watch(require(name) as Members, name);
const { Socket } = require('net') as { Socket: { prototype: Members } };
const { connect } = Socket.prototype;
Socket.prototype.connect = function (this: unknown, ...args: unknown[]) {
  touched.add('net.Socket.connect');
  return Reflect.apply(connect as () => unknown, this, args);
};
watch(globalThis as unknown as Members & { fetch: unknown }, 'global');

const load = ({ file, called, code }: (typeof files)[number]): void => {
  const loaded = new Module(file);
  Object.assign(loaded, { filename: file, paths: [] });
  (loaded as unknown as { _compile: (code: string, file: string) => void })._compile(code, file);
  if (called !== undefined) (loaded.exports as Record<string, () => unknown>)[called]?.();
};

let next = 0;
// Whenever nothing is left to do.
process.on('beforeExit', () => {
  if (next > 0)
    process.stdout.write(`${JSON.stringify([...touched].filter((name) => !/^global\.(?!fetch)/.test(name)))}\n`);
  const file = files[next++];
  if (!file) process.exit(0);
  touched.clear();
  load(file);
  setImmediate(() => undefined); // else the process would end here
});
