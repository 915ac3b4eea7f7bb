import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod/mini';
import { CommandFailed } from '../command.ts';

/** How far one part of the table has been written out: where to go on, and how long its files are. */
export interface PartState {
  readonly next?: Record<string, unknown> | undefined;
  readonly done: boolean;
  /** Bytes, by file. */
  readonly files: Readonly<Record<string, number>>;
}

const stateSchema = z.object({
  parts: z.record(
    z.string(),
    z.object({
      next: z.optional(z.record(z.string(), z.unknown())),
      done: z.boolean(),
      files: z.record(z.string(), z.number()),
    }),
  ),
});

const stateFile = 'export-state.json';
const manifestFile = 'manifest.json';
const own = new Set([stateFile, manifestFile, 'SHA256SUMS']);
/** Content that was uploaded, each under its own SHA-256. */
const binaries = 'binaries';
const ofContent = (name: string) => name.startsWith(`${binaries}${path.sep}`);

/**
 * Files of an export, each of one part of the table, to which lines are added. What was added since the state was last kept is cut off when an export goes on, so nothing stands there twice.
 */
export class ExportFiles {
  readonly #folder: string;
  readonly #parts: Map<string, PartState>;
  #stateKept: Promise<void> = Promise.resolve();

  private constructor(folder: string, parts: Map<string, PartState>) {
    this.#folder = folder;
    this.#parts = parts;
  }

  /** Opens a folder: an empty one, or that of an export which broke off. Throws CommandFailed for any other: what was finished tells of its own time. */
  static async open(folder: string): Promise<ExportFiles> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const text = await readFile(path.join(folder, stateFile), 'utf8').catch(() => undefined);
    const there = await readdir(folder);
    if (there.includes(manifestFile))
      throw new CommandFailed(`${folder} holds an export that was finished: another one goes into another folder`);
    if (text === undefined) {
      if (there.length > 0) throw new CommandFailed(`${folder} is not empty, and no export of it broke off`);
      return new ExportFiles(folder, new Map());
    }
    const { parts } = stateSchema.parse(JSON.parse(text));
    const files = new ExportFiles(folder, new Map(Object.entries(parts) as [string, PartState][]));
    await files.#cut();
    return files;
  }

  async #cut(): Promise<void> {
    const kept = new Map([...this.#parts.values()].flatMap((part) => Object.entries(part.files)));
    for (const name of await this.#names()) {
      if (ofContent(name) && !name.endsWith('.new')) continue;
      const length = kept.get(name);
      if (length === undefined) await rm(path.join(this.#folder, name));
      else await truncate(path.join(this.#folder, name), length);
    }
  }

  async #names(): Promise<string[]> {
    const all = await readdir(this.#folder, { recursive: true, withFileTypes: true });
    return all
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(this.#folder, path.join(entry.parentPath, entry.name)))
      .filter((name) => !own.has(name))
      .toSorted();
  }

  part(name: string): PartState {
    return this.#parts.get(name) ?? { done: false, files: {} };
  }

  /** Adds lines to files, by name, and keeps where the part goes on. */
  async add(part: string, lines: ReadonlyMap<string, readonly string[]>, next: PartState['next']): Promise<void> {
    const files = { ...this.part(part).files };
    for (const [name, some] of lines) {
      const text = some.map((line) => `${line}\n`).join('');
      const file = path.join(this.#folder, name);
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      await appendFile(file, text, { mode: 0o600 });
      files[name] = (files[name] ?? 0) + Buffer.byteLength(text);
    }
    this.#parts.set(part, { next, done: next === undefined, files });
    await this.#keepState();
  }

  /** Parts are written beside one another: one state at a time, the newest last. */
  #keepState(): Promise<void> {
    this.#stateKept = this.#stateKept.then(() =>
      this.#write(stateFile, JSON.stringify({ parts: Object.fromEntries(this.#parts) })),
    );
    return this.#stateKept;
  }

  /** Keeps content under its own hash: once, however often. */
  async keepContent(sha256: string, content: Uint8Array): Promise<void> {
    if (createHash('sha256').update(content).digest('hex') !== sha256)
      throw new Error('Content is not what its Binary tells of');
    await mkdir(path.join(this.#folder, binaries), { recursive: true, mode: 0o700 });
    await this.#write(path.join(binaries, sha256), content);
  }

  async #write(name: string, content: string | Uint8Array): Promise<void> {
    const file = path.join(this.#folder, name);
    const written = `${file}.${randomUUID()}.new`;
    await writeFile(written, content, { mode: 0o600 });
    await rename(written, file);
  }

  /** Reads all of it again, and writes what there is: lines by folder, and a hash of each file. */
  async finish(about: Readonly<Record<string, unknown>>): Promise<Manifest> {
    const lines = new Map<string, number>();
    const sums: string[] = [];
    for (const name of await this.#names()) {
      const file = path.join(this.#folder, name);
      const { count, sha256 } = ofContent(name) ? await contentAgain(file) : await readAgain(file);
      const kind = path.dirname(name);
      lines.set(kind, (lines.get(kind) ?? 0) + count);
      sums.push(`${sha256}  ${name}`);
    }
    const manifest = { ...about, lines: Object.fromEntries(lines) };
    await this.#write('SHA256SUMS', sums.map((line) => `${line}\n`).join(''));
    await this.#write(manifestFile, `${JSON.stringify(manifest, undefined, 2)}\n`);
    return manifest;
  }
}

/** What an export holds. */
export interface Manifest {
  /** Lines by kind, such as `records/Patient`; of `binaries`, files. */
  readonly lines: Readonly<Record<string, number>>;
}

const readAgain = async (file: string): Promise<{ readonly count: number; readonly sha256: string }> => {
  const hash = createHash('sha256');
  const stream = createReadStream(file);
  stream.on('data', (chunk) => hash.update(chunk));
  let count = 0;
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    JSON.parse(line); // a line that was cut off is told here, and not by whoever needs it
    count++;
  }
  return { count, sha256: hash.digest('hex') };
};

const contentAgain = async (file: string): Promise<{ readonly count: number; readonly sha256: string }> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  const sha256 = hash.digest('hex');
  if (sha256 !== path.basename(file)) throw new CommandFailed(`${file} is not the content that it is called after`);
  return { count: 1, sha256 };
};
