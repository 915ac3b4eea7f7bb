import { Hl7Message, type Hl7Segment } from '@medplum/core';
import { type Separators, unescaped } from './escapes.ts';
import { Unfit } from './unfit.ts';

/** What a sender says of a field: nothing, that there is nothing any more (`""`), or a value. */
export type Said = 'nothing' | 'removed' | 'value';

/** Whether text is HL7's null. */
const isNull = (text: string): boolean => text === '""';

/** One repetition of a field. Components and subcomponents are counted from 1; what is absent or null is the empty text. */
export class Repetition {
  readonly #components: readonly string[];
  readonly #separators: Separators;
  /** Where it stands, such as `PID-3`. */
  readonly at: string;

  constructor(components: readonly string[], separators: Separators, at: string) {
    this.#components = components;
    this.#separators = separators;
    this.at = at;
  }

  /** The text of a component's first subcomponent, or of another one. */
  part(component: number, subcomponent = 1): string {
    const { subcomponent: separator } = this.#separators;
    const text = (this.#components[component - 1] ?? '').split(separator)[subcomponent - 1] ?? '';
    return isNull(text) ? '' : unescaped(text, this.#separators).trim();
  }

  /** The whole as text, whatever its separators mean: for types that have none. */
  get text(): string {
    const text = this.#components.join(this.#separators.component);
    return isNull(text) ? '' : unescaped(text, this.#separators).trim();
  }

  get isEmpty(): boolean {
    return this.#components.every((each) => each.trim() === '' || isNull(each));
  }
}

/** More than a list of anything has, and lines of a text. */
const mostRepetitions = 2_000;

/** A field of a segment. */
export class Field {
  readonly #repetitions: readonly (readonly string[])[];
  readonly #separators: Separators;
  /** Such as `PID-3`. */
  readonly at: string;

  constructor(repetitions: readonly (readonly string[])[], separators: Separators, at: string) {
    this.#repetitions = repetitions;
    this.#separators = separators;
    this.at = at;
  }

  get said(): Said {
    const [first, ...others] = this.#repetitions;
    if (others.length === 0 && first?.length === 1 && isNull(first[0] ?? '')) return 'removed';
    return this.repetitions.length > 0 ? 'value' : 'nothing';
  }

  /**
   * Those that say something.
   *
   * @throws Unfit where there are more than can be looked at.
   */
  get repetitions(): readonly Repetition[] {
    if (this.#repetitions.length > mostRepetitions)
      throw new Unfit('not-filed', 'A field has more repetitions than are read', this.at, 'too-costly');
    return this.#repetitions
      .map((components) => new Repetition(components, this.#separators, this.at))
      .filter(({ isEmpty }) => !isEmpty);
  }

  get first(): Repetition {
    return this.repetitions[0] ?? new Repetition([], this.#separators, this.at);
  }

  /** Text of the first repetition's component. */
  part(component: number, subcomponent?: number): string {
    return this.first.part(component, subcomponent);
  }
}

/** A segment, with its number among all of its name. */
export class Segment {
  readonly #segment: Hl7Segment;
  readonly #separators: Separators;
  readonly name: string;
  readonly number: number;

  constructor(segment: Hl7Segment, separators: Separators, number: number) {
    this.#segment = segment;
    this.#separators = separators;
    this.name = segment.name;
    this.number = number;
  }

  field(number: number): Field {
    // The library gives undefined for what lies behind the last field.
    const found = this.#segment.getField(number) as ReturnType<Hl7Segment['getField']> | undefined;
    return new Field(found?.components ?? [], this.#separators, `${this.name}-${number}`);
  }
}

/** By which a message ends in a stream; no part of it. */
const endOfBlock = String.fromCharCode(28);

/** A message as HL7 v2 has it, in its encoding ER7. */
export class Message {
  readonly segments: readonly Segment[];
  /** As it was sent. */
  readonly text: string;

  /** @throws Unfit if it does not begin with an MSH segment, is a batch, or names no separators. */
  constructor(text: string) {
    const sane = text
      .replace(/^(?:\uFEFF|\u00EF\u00BB\u00BF|\v)+/, '')
      .replaceAll(endOfBlock, '')
      .trimEnd();
    if (/^(?:FHS|BHS)/.test(sane)) throw new Unfit('batch', 'A batch is sent message by message', 'MSH');
    if (!/^MSH[^\w\s]{5}/.test(sane)) throw new Unfit('header', 'A message begins with MSH and its separators', 'MSH');
    const parsed = Hl7Message.parse(sane.replace(/\r\n|\n/g, '\r'));
    const { fieldSeparator: field, componentSeparator: component, repetitionSeparator: repetition } = parsed.context;
    const { escapeCharacter: escape, subcomponentSeparator: subcomponent } = parsed.context;
    const separators = { field, component, repetition, escape, subcomponent };
    const counts = new Map<string, number>();
    this.text = text;
    this.segments = parsed.segments
      .filter(({ name }) => name.trim() !== '')
      .map((segment) => {
        const number = (counts.get(segment.name) ?? 0) + 1;
        counts.set(segment.name, number);
        return new Segment(segment, separators, number);
      });
  }

  all(name: string): readonly Segment[] {
    return this.segments.filter((segment) => segment.name === name);
  }

  first(name: string): Segment | undefined {
    return this.segments.find((segment) => segment.name === name);
  }

  /** The text of a field's first component; empty where segment or field is not there. */
  part(name: string, field: number, component = 1, subcomponent = 1): string {
    return this.first(name)?.field(field).part(component, subcomponent) ?? '';
  }

  /** Segments in groups that each begin with one of a name, up to the next such one; what stands before the first is in none. */
  groups(name: string): readonly (readonly Segment[])[] {
    const groups: Segment[][] = [];
    for (const segment of this.segments) {
      if (segment.name === name) groups.push([segment]);
      else groups.at(-1)?.push(segment);
    }
    return groups;
  }
}
