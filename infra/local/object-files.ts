import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';

/** A refusal in S3's own words. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export class Refused extends Error {
  readonly statusCode: number;
  readonly code: string;

  constructor(statusCode: number, code: string, message: string) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
  }
}

/** S3 takes 5 GB in one request, and this one a little over what anybody may attach here. */
const largestObject = 512 * 1024 * 1024;
/** Bytes of a key. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
export const longestKey = 1_024;
/** Bytes of a file before the object's: its key, each byte of it perhaps encoded by three, what is known of it, and a line feed. */
const longestHead = 3 * longestKey + 2_048;

/** What is told of an object beside its bytes. */
export interface About {
  /** MIME type. */
  readonly type: string;
  /** SHA-256 in base 64, of an object that was put with it. */
  readonly sha256?: string | undefined;
}

/** Hashes of what has come. */
export interface Digests {
  /** In hexadecimal digits. */
  readonly sha256: string;
  /** In base 64. */
  readonly md5: string;
}

export interface StoredObject extends About {
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  /** Its bytes, in order. */
  readonly content: () => Readable;
  /** To be called where the content is not read. */
  readonly close: () => Promise<void>;
}

interface Head extends About {
  readonly etag: string;
}

const unknown: Head = { type: 'application/octet-stream', etag: '0'.repeat(32) };
const linefeed = 10;

/**
 * One file an object: its key and what is told of it, a line feed, its bytes. The name is a hash of the key, so no key leads out of the folder, whatever is in
 * it. An object is there whole or not at all: it is written beside its place and then moved there. No object is ever held in memory.
 */
export class ObjectFiles {
  readonly #folder: string;
  readonly #buckets = new Set<string>();
  readonly #locked = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
    rmSync(this.#unfinished(''), { recursive: true, force: true }); // what a crash left half written
    mkdirSync(this.#unfinished(''), { recursive: true, mode: 0o700 });
  }

  createBucket(name: string, locked: boolean): void {
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name))
      throw new Error('A bucket has 3 to 63 small letters, digits and hyphens');
    mkdirSync(path.join(this.#folder, name), { recursive: true, mode: 0o700 });
    this.#buckets.add(name);
    if (locked) this.#locked.add(name);
  }

  isLocked(bucket: string): boolean {
    return this.#locked.has(bucket);
  }

  has(bucket: string): boolean {
    return this.#buckets.has(bucket);
  }

  /**
   * Takes an object in.
   *
   * @param require - throws unless what has come is what was announced.
   * @returns its entity tag.
   * @throws Refused; also if it should be new and is not.
   */
  async put(
    bucket: string,
    key: string,
    about: About,
    {
      body,
      isNew = false,
      require,
    }: {
      readonly body: AsyncIterable<Buffer>;
      readonly isNew?: boolean;
      readonly require?: (digests: Digests) => void;
    },
  ): Promise<string> {
    const written = this.#unfinished(randomUUID());
    const file = await open(written, 'wx', 0o600);
    try {
      const [sha256, md5] = [createHash('sha256'), createHash('md5')];
      await file.write(headOf(key, { ...about, etag: unknown.etag }));
      let size = 0;
      for await (const chunk of body) {
        size += chunk.length;
        if (size > largestObject) throw new Refused(400, 'EntityTooLarge', 'Your proposed upload is too large');
        sha256.update(chunk);
        md5.update(chunk);
        await file.write(chunk);
      }
      const digest = md5.digest();
      require?.({ sha256: sha256.digest('hex'), md5: digest.toString('base64') });
      const etag = digest.toString('hex');
      const head = headOf(key, { ...about, etag });
      await file.write(head, 0, head.length, 0); // as long as the first one
      await file.datasync(); // S3 loses nothing that it has acknowledged
      await this.#moveIn(written, bucket, key, isNew);
      return etag;
    } finally {
      await file.close();
      await rm(written, { force: true });
    }
  }

  async #moveIn(written: string, bucket: string, key: string, isNew: boolean): Promise<void> {
    try {
      // Of two at once that are to be new, one is refused.
      await (isNew ? link : rename)(written, this.#file(bucket, key));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new Refused(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
    }
    await rm(this.#tags(bucket, key), { force: true });
  }

  /** Undefined if there is none. */
  async get(bucket: string, key: string): Promise<StoredObject | undefined> {
    let file: FileHandle;
    try {
      file = await open(this.#file(bucket, key));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const { about, end } = await readHead(file);
    const { size } = await file.stat();
    return {
      ...about,
      size: size - end,
      content: () => file.createReadStream({ start: end }),
      close: () => file.close(),
    };
  }

  async delete(bucket: string, key: string): Promise<void> {
    await rm(this.#file(bucket, key), { force: true });
    await rm(this.#tags(bucket, key), { force: true });
  }

  /** Removes objects whose keys begin so and that were written before. */
  async expire(bucket: string, prefix: string, before: number): Promise<void> {
    for (const key of await this.keys(bucket)) {
      if (!key.startsWith(prefix)) continue;
      const { mtimeMs } = await stat(this.#file(bucket, key));
      if (mtimeMs < before) await this.delete(bucket, key);
    }
  }

  /** Names and values; undefined if there is no such object. */
  async tagsOf(bucket: string, key: string): Promise<Readonly<Record<string, string>> | undefined> {
    const object = await this.get(bucket, key);
    if (!object) return undefined;
    await object.close();
    try {
      return JSON.parse(await readFile(this.#tags(bucket, key), 'utf8')) as Record<string, string>;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw error;
    }
  }

  async tag(bucket: string, key: string, tags: Readonly<Record<string, string>>): Promise<void> {
    await mkdir(path.dirname(this.#tags(bucket, key)), { recursive: true, mode: 0o700 });
    await writeFile(this.#tags(bucket, key), JSON.stringify(tags), { mode: 0o600 });
  }

  async keys(bucket: string): Promise<string[]> {
    const folder = path.join(this.#folder, bucket);
    const keys: string[] = [];
    for (const name of await readdir(folder)) {
      const file = await open(path.join(folder, name));
      try {
        keys.push((await readHead(file)).key);
      } finally {
        await file.close();
      }
    }
    return keys;
  }

  #file(bucket: string, key: string): string {
    return path.join(this.#folder, bucket, nameOf(key));
  }

  #tags(bucket: string, key: string): string {
    return path.join(this.#folder, '.tags', bucket, nameOf(key));
  }

  #unfinished(name: string): string {
    return path.join(this.#folder, '.unfinished', name);
  }
}

const nameOf = (key: string): string => createHash('sha256').update(key).digest('hex');

const headOf = (key: string, head: Head): Buffer =>
  Buffer.from(`${encodeURIComponent(key)}\t${JSON.stringify(head)}\n`);

/** Older files tell the key alone. */
const readHead = async (file: FileHandle): Promise<{ key: string; about: Head; end: number }> => {
  const { buffer, bytesRead } = await file.read({
    buffer: Buffer.alloc(longestHead),
    length: longestHead,
    position: 0,
  });
  const end = buffer.subarray(0, bytesRead).indexOf(linefeed);
  const [key = '', about] = buffer.toString('utf8', 0, end).split('\t');
  return {
    key: decodeURIComponent(key),
    about: about === undefined ? unknown : (JSON.parse(about) as Head),
    end: end + 1,
  };
};
