import {
  type Cipheriv,
  createCipheriv,
  createDecipheriv,
  type Decipheriv,
  randomBytes,
  randomFillSync,
} from 'node:crypto';
import { fromBase32, toBase32 } from './base32.ts';
import { hmacWith } from './hmac.ts';

// A server-assigned id is `<chart>` for a record that heads a collection of its own, such as a patient, and `<chart>.<suffix>`
// for a record in that collection. Each half is one AES block, 26 letters. The chart's block holds random bytes; the suffix's
// holds the record's place (date and random bytes), so that an id yields its key without a look-up and shows no date. Both hold
// a check that only the deployment can make, so that an id cannot be forged and no suffix moved to another chart.

/** Where a server-assigned id says its record is. */
export interface DecodedId {
  readonly chart: string;
  /** 20 letters, sorted by clinical date; empty for the record that heads the chart. */
  readonly place: string;
}

const letters = /^[0-9a-v]{26}(?:\.[0-9a-v]{26})?$/;
const placeBytes = 12;
// Milliseconds from the year 0 to 1970, so that a date before 1970 is a positive number too.
const yearZero = 62_167_219_200_000;
const allDates = 2 ** 48;
const latest = allDates - 1;

/**
 * The time that a place was made of, in milliseconds since 1970.
 *
 * @throws Error if it is no place.
 */
export const timeOfPlace = (place: string): number => bytesOf(place).readUIntBE(0, 6) - yearZero;

const bytesOf = (place: string): Buffer => {
  const bytes = fromBase32(place);
  if (bytes?.length !== placeBytes) throw new Error('A place has 20 letters');
  return Buffer.from(bytes);
};

const placeOf = (date: number, random: Uint8Array): string => {
  const bytes = Buffer.alloc(placeBytes);
  bytes.writeUIntBE(Math.min(Math.max(Math.round(date) + yearZero, 0), latest), 0, 6);
  bytes.set(random, 6);
  return toBase32(bytes);
};

/** Bytes of a place that are its date, and as many that are random. */
export const halfPlaceBytes = placeBytes / 2;

/** Places in columns, half of each place's bytes in each: their random halves, and by how much the date of each is later than that of the one before. */
export interface PlaceColumns {
  readonly steps: Uint8Array;
  readonly random: Uint8Array;
}

/** @throws Error if one is no place. */
export const placesInColumns = (places: readonly string[]): PlaceColumns => {
  const steps = Buffer.alloc(places.length * halfPlaceBytes);
  const random = Buffer.alloc(steps.length);
  let before = 0;
  for (const [index, place] of places.entries()) {
    const bytes = bytesOf(place);
    const date = bytes.readUIntBE(0, halfPlaceBytes);
    // An earlier one is later by that much beyond all dates.
    steps.writeUIntBE((date - before + allDates) % allDates, index * halfPlaceBytes, halfPlaceBytes);
    random.set(bytes.subarray(halfPlaceBytes), index * halfPlaceBytes);
    before = date;
  }
  return { steps, random };
};

/** The places that were put in columns. */
export const placesFromColumns = ({ steps, random }: PlaceColumns): string[] => {
  const { buffer, byteOffset, length } = steps;
  const dates = Buffer.from(buffer, byteOffset, length);
  let date = 0;
  return Array.from({ length: length / halfPlaceBytes }, (_, index) => {
    const at = index * halfPlaceBytes;
    date = (date + dates.readUIntBE(at, halfPlaceBytes)) % allDates;
    return placeOf(date - yearZero, random.subarray(at, at + halfPlaceBytes));
  });
};

/** What places of a time begin with, in order of time: eight milliseconds are one. Times beyond all dates come first and last. */
export const timeKey = (milliseconds: number): string => placeOf(milliseconds, noRandom).slice(0, 9);
const noRandom = new Uint8Array(6);

/** Bytes drawn ahead, since six of them take a fifth of the time that thousands take. Each is used once. */
const drawn = Buffer.alloc(6 * 512);
let used = drawn.length;

/** Six random bytes, good until the next are asked for. */
const fewRandomBytes = (): Uint8Array => {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  used += 6;
  return drawn.subarray(used - 6, used);
};

export class IdCodec {
  readonly #hmac: ReturnType<typeof hmacWith>;
  // Ciphers are made once too and never closed: blocks without a mode do not depend on one another, and setting a cipher up takes
  // five times as long as one block.
  readonly #cipher: Cipheriv;
  readonly #decipher: Decipheriv;

  // The id that was made or taken apart last: a request asks again for the one that it is about.
  #last: DecodedId & { readonly id: string } = { id: '', chart: '', place: '' };

  constructor(key: Buffer) {
    this.#hmac = hmacWith(key);
    this.#cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
    this.#decipher = createDecipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  }

  /** A new chart: random, never derived from the person. */
  newChart(): string {
    const random = randomBytes(placeBytes);
    return toBase32(this.#encrypt(Buffer.concat([random, this.#check('', random)])));
  }

  /** A new place in a chart. `date` is the record's clinical date in milliseconds since 1970. */
  newPlace(date: number): string {
    return placeOf(date, fewRandomBytes());
  }

  /** The one place of a name at a time: who writes there twice finds it taken. Nobody can tell the name by it. */
  namedPlace(date: number, name: string): string {
    return placeOf(date, this.#hmac(Buffer.from(`place|${name}`)).subarray(0, 6));
  }

  /** The same place at another date: where a record's charts show it once its date has changed. */
  movedPlace(place: string, date: number): string {
    return placeOf(date, bytesOf(place).subarray(6));
  }

  /** The id of the record at a place; the chart itself for the record that heads it. */
  idAt(chart: string, place: string): string {
    if (place === '') return chart;
    if (this.#last.chart === chart && this.#last.place === place) return this.#last.id;
    const bytes = bytesOf(place);
    const id = `${chart}.${toBase32(this.#encrypt(Buffer.concat([bytes, this.#check(chart, bytes)])))}`;
    this.#last = { id, chart, place };
    return id;
  }

  /** Chart and place of an id that this deployment assigned; undefined for an id that a client chose or forged. */
  decode(id: string): DecodedId | undefined {
    if (!letters.test(id)) return undefined;
    const [chart = '', suffix] = id.split('.');
    if (suffix === undefined) return this.#open('', chart) && { chart, place: '' };
    const bytes = this.#open(chart, suffix);
    if (!bytes) return undefined;
    const place = toBase32(bytes);
    this.#last = { id, chart, place };
    return { chart, place };
  }

  /** Whether an id has the form of ours, decodable or not: nobody may choose such a one, so a forged id looks like a hidden record's. */
  static hasForm(id: string): boolean {
    return letters.test(id);
  }

  #open(chart: string, text: string): Uint8Array | undefined {
    const block = fromBase32(text);
    if (block?.length !== 16) return undefined;
    const plain = this.#decipher.update(block);
    const content = plain.subarray(0, placeBytes);
    return this.#check(chart, content).equals(plain.subarray(placeBytes)) ? content : undefined;
  }

  /** One block under one key and no mode: each plain block is unique by its random bytes. */
  #encrypt(block: Buffer): Buffer {
    return this.#cipher.update(block);
  }

  #check(chart: string, content: Uint8Array): Buffer {
    return this.#hmac(Buffer.from(chart), content).subarray(0, 4);
  }
}
