import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { fromBase32, toBase32 } from './base32.ts';

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
const latest = 2 ** 48 - 1;

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

export class IdCodec {
  // A key object, made once: given as bytes, a key is set up anew for each of an id's four operations.
  readonly #key: KeyObject;

  constructor(key: Buffer) {
    this.#key = createSecretKey(key);
  }

  /** A new chart: random, never derived from the person. */
  newChart(): string {
    const random = randomBytes(placeBytes);
    return toBase32(this.#encrypt(Buffer.concat([random, this.#check('', random)])));
  }

  /** A new place in a chart. `date` is the record's clinical date in milliseconds since 1970. */
  newPlace(date: number): string {
    const bytes = Buffer.alloc(placeBytes);
    bytes.writeUIntBE(Math.min(Math.max(Math.round(date) + yearZero, 0), latest), 0, 6);
    randomBytes(6).copy(bytes, 6);
    return toBase32(bytes);
  }

  /** The id of the record at a place; the chart itself for the record that heads it. */
  idAt(chart: string, place: string): string {
    if (place === '') return chart;
    const bytes = bytesOf(place);
    return `${chart}.${toBase32(this.#encrypt(Buffer.concat([bytes, this.#check(chart, bytes)])))}`;
  }

  /** Chart and place of an id that this deployment assigned; undefined for an id that a client chose or forged. */
  decode(id: string): DecodedId | undefined {
    if (!letters.test(id)) return undefined;
    const [chart = '', suffix] = id.split('.');
    if (suffix === undefined) return this.#open('', chart) && { chart, place: '' };
    const place = this.#open(chart, suffix);
    return place && { chart, place: toBase32(place) };
  }

  /** Whether an id has the form of ours, decodable or not: nobody may choose such a one, so a forged id looks like a hidden record's. */
  static hasForm(id: string): boolean {
    return letters.test(id);
  }

  #open(chart: string, text: string): Uint8Array | undefined {
    const block = fromBase32(text);
    if (block?.length !== 16) return undefined;
    const decipher = createDecipheriv('aes-256-ecb', this.#key, null).setAutoPadding(false);
    const plain = Buffer.concat([decipher.update(block), decipher.final()]);
    const content = plain.subarray(0, placeBytes);
    return this.#check(chart, content).equals(plain.subarray(placeBytes)) ? content : undefined;
  }

  /** One block under one key and no mode: each plain block is unique by its random bytes. */
  #encrypt(block: Buffer): Buffer {
    const cipher = createCipheriv('aes-256-ecb', this.#key, null).setAutoPadding(false);
    return Buffer.concat([cipher.update(block), cipher.final()]);
  }

  #check(chart: string, content: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(chart).update(content).digest().subarray(0, 4);
  }
}
