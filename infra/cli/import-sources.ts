import { createReadStream } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { createGunzip, gunzip } from 'node:zlib';
import { parseJson } from '../../shared/fhir/json.ts';
import { CommandFailed } from './command.ts';

/** A resource on its own, and where it stands: a file, and a line in NDJSON. */
export interface LooseResource {
  readonly place: string;
  readonly resource: fhir4.FhirResource;
}

/** One file, as far as the plan needs to know it. What is in it is read again when its turn comes, so that not all is held at once. */
export type Source =
  | { readonly kind: 'batch' | 'transaction'; readonly file: string; readonly entries: number }
  | { readonly kind: 'resources'; readonly file: string; readonly entries: number; readonly firstType: string }
  | { readonly kind: 'unreadable'; readonly file: string; readonly entries: 1; readonly reason: string };

const imported = /\.(json|ndjson|gz)$/i;
const ndjson = /\.ndjson(\.gz)?$/i;

/**
 * The files behind names given by the user: a file itself, or all of a folder that have a known ending, in order of their names.
 *
 * @throws CommandFailed for a name that does not exist.
 */
export const findFiles = async (names: readonly string[]): Promise<string[]> => {
  const found = names.map(async (name) => {
    const info = await stat(name).catch(() => {
      throw new CommandFailed(`There is no file or folder ${name}`);
    });
    if (!info.isDirectory()) return [name];
    const inside = await readdir(name, { recursive: true, withFileTypes: true });
    return inside
      .filter((entry) => entry.isFile() && imported.test(entry.name))
      .map((entry) => path.join(entry.parentPath, entry.name))
      .sort();
  });
  return [...new Set((await Promise.all(found)).flat())];
};

/** Looks into a file once. */
export const inspect = async (file: string): Promise<Source> => {
  try {
    return ndjson.test(file) ? await inspectLines(file) : inspectJson(file, await readJson(file));
  } catch (error) {
    return unreadable(file, (error as Error).message);
  }
};

const unreadable = (file: string, reason: string): Source => ({ kind: 'unreadable', file, entries: 1, reason });

const inspectLines = async (file: string): Promise<Source> => {
  let entries = 0;
  let firstType = '';
  for await (const line of linesOf(file)) {
    if (line.trim() === '') continue;
    firstType ||= /"resourceType"\s*:\s*"(\w+)"/.exec(line)?.[1] ?? '';
    entries += 1;
  }
  return entries === 0 ? unreadable(file, 'is empty') : { kind: 'resources', file, entries, firstType };
};

const inspectJson = (file: string, content: unknown): Source => {
  if (!isResource(content)) return unreadable(file, 'is not a FHIR resource');
  if (content.resourceType !== 'Bundle')
    return { kind: 'resources', file, entries: 1, firstType: content.resourceType };
  const { type, entry = [] } = content;
  if (type === 'batch' || type === 'transaction') return { kind: type, file, entries: entry.length };
  if (type !== 'collection' && type !== 'searchset')
    return unreadable(file, `is a Bundle of type ${type}, which cannot be imported`);
  return { kind: 'resources', file, entries: entry.length, firstType: entry[0]?.resource?.resourceType ?? '' };
};

/** The bundle in a file that was found to hold one. */
export const readBundle = async (file: string): Promise<fhir4.Bundle> => (await readJson(file)) as fhir4.Bundle;

/** The resources of a file that was found to hold such, one by one; a line that is no resource comes as a reason. */
export async function* looseResources(file: string): AsyncGenerator<LooseResource | { place: string; reason: string }> {
  if (!ndjson.test(file)) {
    const content = (await readJson(file)) as fhir4.FhirResource;
    const resources =
      content.resourceType === 'Bundle' ? (content.entry ?? []).map(({ resource }) => resource) : [content];
    for (const [index, resource] of resources.entries()) {
      const place = resources.length === 1 ? file : `${file}, entry ${index + 1}`;
      yield isResource(resource) ? { place, resource } : { place, reason: 'has no resource' };
    }
    return;
  }
  let number = 0;
  for await (const line of linesOf(file)) {
    number += 1;
    if (line.trim() === '') continue;
    const place = `${file}, line ${number}`;
    const resource = parsed(line);
    yield isResource(resource) ? { place, resource } : { place, reason: 'is not a FHIR resource in JSON' };
  }
}

const parsed = (line: string): unknown => {
  try {
    return parseJson(line);
  } catch {
    return undefined;
  }
};

const isResource = (value: unknown): value is fhir4.FhirResource =>
  typeof value === 'object' && value !== null && 'resourceType' in value && typeof value.resourceType === 'string';

const readJson = async (file: string): Promise<unknown> => {
  const bytes = await readFile(file);
  const text = isGzip(bytes) ? await promisify(gunzip)(bytes) : bytes;
  try {
    return parseJson(text.toString('utf8'));
  } catch {
    throw new Error('is not JSON'); // the parser's own message quotes the file
  }
};

async function* linesOf(file: string): AsyncGenerator<string> {
  const start = Buffer.alloc(2);
  const handle = await open(file);
  await handle.read(start, 0, 2, 0).finally(() => handle.close());
  const stream = createReadStream(file);
  const input = isGzip(start) ? stream.pipe(createGunzip()) : stream;
  const failed = new Promise<never>((_, reject) => {
    for (const each of [stream, input]) each.once('error', reject);
  });
  failed.catch(() => undefined);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  for (;;) {
    const { value, done } = await Promise.race([lines.next(), failed]);
    if (done) return;
    yield value as string;
  }
}

const isGzip = (bytes: Uint8Array) => bytes[0] === 0x1f && bytes[1] === 0x8b;
