import { createHash } from 'node:crypto';
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
const own = new Set([stateFile, 'manifest.json', 'SHA256SUMS']);

/**
 * Files of an export, each of one part of the table, to which lines are added. What was added since the state was last kept is cut off when an export goes on, so nothing stands there twice.
 */
export class ExportFiles {
  readonly #folder: string;
  readonly #parts: Map<string, PartState>;

  private constructor(folder: string, parts: Map<string, PartState>) {
    this.#folder = folder;
    this.#parts = parts;
  }

  /** Opens a folder: an empty one, or that of an export which broke off. Throws CommandFailed for any other. */
  static async open(folder: string): Promise<ExportFiles> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const text = await readFile(path.join(folder, stateFile), 'utf8').catch(() => undefined);
    if (text === undefined) {
      if ((await readdir(folder)).length > 0)
        throw new CommandFailed(`${folder} is not empty, and no export of it broke off`);
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
      .filter((name) => !own.has(name) && !name.startsWith('binaries'))
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
    await this.#write(stateFile, JSON.stringify({ parts: Object.fromEntries(this.#parts) }));
  }

  /** Keeps content under its own hash: once, however often. */
  async keepContent(sha256: string, content: Uint8Array): Promise<void> {
    if (createHash('sha256').update(content).digest('hex') !== sha256)
      throw new Error('Content is not what its Binary tells of');
    await mkdir(path.join(this.#folder, 'binaries'), { recursive: true, mode: 0o700 });
    await this.#write(path.join('binaries', sha256), content);
  }

  async #write(name: string, content: string | Uint8Array): Promise<void> {
    const file = path.join(this.#folder, name);
    await writeFile(`${file}.new`, content, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }

  /** Reads all of it again, and writes what there is: lines by folder, and a hash of each file. */
  async finish(about: Readonly<Record<string, unknown>>): Promise<Manifest> {
    const lines = new Map<string, number>();
    const sums: string[] = [];
    for (const name of await this.#names()) {
      const { count, sha256 } = await readAgain(path.join(this.#folder, name));
      const kind = path.dirname(name);
      lines.set(kind, (lines.get(kind) ?? 0) + count);
      sums.push(`${sha256}  ${name}`);
    }
    const manifest = { ...about, lines: Object.fromEntries(lines) };
    await this.#write('SHA256SUMS', sums.map((line) => `${line}\n`).join(''));
    await this.#write('manifest.json', `${JSON.stringify(manifest, undefined, 2)}\n`);
    return manifest;
  }
}

/** What an export holds. */
export interface Manifest {
  /** Lines by kind, such as `records/Patient`. */
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
