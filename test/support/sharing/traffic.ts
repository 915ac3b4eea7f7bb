import { Random } from '../../../infra/demo/random.ts';
import { bodyOf, byMark, identifierSystem, marked, markIn, typesInCharts, type WrittenType } from './bodies.ts';
import { canaryOf } from './canaries.ts';
import type { Moments } from './clock.ts';
import { type ConsentKind, consentKinds } from './consents.ts';
import type { Change, Done, Model, Person } from './model.ts';

/** What the API answered. */
export interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: fhir4.FhirResource | undefined;
}

/** A request as the application of an organisation. Answers undefined if no answer came. */
export type Api = (
  organization: string,
  method: string,
  path: string,
  body?: fhir4.FhirResource,
) => Promise<Answer | undefined>;

interface KnownRecord {
  readonly type: string;
  readonly name: string;
  readonly chart: string;
  version: number;
  labels: readonly string[];
  mark: string;
  deleted: boolean;
}

/** A write that is asked for. */
interface Write {
  readonly do: 'create' | 'update' | 'delete';
  readonly type: string;
  /** `Patient/<id>`; of a Patient that is new, nothing. */
  readonly chart: string;
  /** The record that is written anew or deleted. */
  readonly record?: KnownRecord;
  readonly resource?: fhir4.FhirResource;
  readonly labels: readonly string[];
  readonly mark: string;
  /** What a Consent comes to; undefined for one that is not in force. */
  readonly given?: { readonly kind: ConsentKind; readonly to: readonly string[] } | undefined;
}

/** What is under way for one person. */
type Operation =
  | { readonly is: 'writes'; readonly writes: readonly Write[]; readonly sent: number }
  | { readonly is: 'merge' | 'unmerge'; readonly sent: number };

export interface TrafficOptions {
  readonly api: Api;
  readonly model: Model;
  readonly moments: Moments;
  readonly seed: number;
  /** The organisations that keep records, in turns. */
  readonly custodians: readonly string[];
  /** Those that Consents may name. */
  readonly receivers: readonly string[];
  readonly people: number;
  /** Of so many requests, in percent, each writes a Consent. */
  readonly consents: number;
  /** Of so many, in percent, each is larger than one DynamoDB transaction, and so staged. */
  readonly staged: number;
}

/** Most Consents of one person that are not deleted. */
const mostConsents = 3;
/** The first kinds of Consents open much: they are given more often than what opens nothing. */
const openingKinds = 4;

/** The charts that are written to. One request of a person is under way at a time; those of several people at once. */
export class Traffic {
  readonly faults: string[] = [];
  readonly writers: readonly Writer[];

  constructor(options: TrafficOptions) {
    const { people, custodians } = options;
    // Behind the people comes what each organisation has in the directory.
    this.writers = Array.from(
      { length: people + custodians.length },
      (_, number) => new Writer(options, number, this.faults),
    );
  }

  /** Versions that were made so far. */
  get changes(): number {
    return this.writers.reduce((sum, { person }) => sum + person.changes.length, 0);
  }

  /** Finds out what became of the requests that were not answered, before anything else is written. */
  async resolve(): Promise<{ lost: number; happened: number }> {
    const open = this.writers.filter(({ isOpen }) => isOpen);
    let happened = 0;
    for (const writer of open) if (await writer.resolve()) happened += 1;
    return { lost: open.length, happened };
  }
}

/** One person, and who writes to the charts. */
export class Writer {
  readonly person: Person;
  readonly #options: TrafficOptions;
  readonly #number: number;
  readonly #faults: string[];
  readonly #random: Random;
  readonly #records: KnownRecord[] = [];
  #operation: Operation | undefined;
  #marks = 0;

  constructor(options: TrafficOptions, number: number, faults: string[]) {
    const { seed, custodians, model, people } = options;
    this.#options = options;
    this.#number = number;
    this.#faults = faults;
    this.#random = new Random(seed, number + 1);
    this.person = model.add(custodians[number % custodians.length] ?? '', number >= people);
  }

  /** Whether a request is not answered yet, or never was. */
  get isOpen(): boolean {
    return this.#operation !== undefined;
  }

  /** Makes one request, as the seed has it. Returns whether it was answered. */
  step(): Promise<boolean> {
    return this.#make(this.#next());
  }

  /** Writes an Observation that bears no label. */
  observe(): Promise<boolean> {
    return this.#make(operationOf(this.#creation('Observation', this.#patients[0]?.name ?? '', [])));
  }

  /** Gives a Consent of this kind to all others. */
  share(kind: ConsentKind): Promise<boolean> {
    return this.#make(operationOf(this.#consent(this.#patients[0]?.name ?? '', { kind, to: this.#others })));
  }

  /** Ends the Consent that was given last. */
  end(): Promise<boolean> {
    const given = this.#records.findLast(({ type, deleted }) => type === 'Consent' && !deleted);
    if (!given) throw new Error('there is no Consent');
    return this.#make(operationOf(this.#deletion(given)));
  }

  async #make(next: Operation): Promise<boolean> {
    this.#operation = { ...next, sent: this.#options.moments() };
    const answer = await (next.is === 'writes' ? this.#sendWrites(next.writes) : this.#sendMerge(next.is));
    if (!answer || answer.status >= 500) return false;
    const operation = this.#operation;
    this.#operation = undefined;
    if (answer.status >= 300) {
      this.#faults.push(`${describe(next)} was answered with ${answer.status} ${codeIn(answer.body)}`);
      return true;
    }
    const made =
      next.is === 'writes' ? next.writes.map((write, at) => this.#madeBy(write, nameIn(answer, at))) : undefined;
    this.#take(operation, made);
    return true;
  }

  /** Finds out whether the request that was not answered was carried out. */
  async resolve(): Promise<boolean> {
    const operation = this.#operation;
    if (!operation) return false;
    this.#operation = undefined;
    if (operation.is !== 'writes') {
      const wanted = operation.is === 'merge';
      const patient = (await this.#read(this.#patients[0]?.name ?? '')) as fhir4.Patient | undefined;
      const merged = (patient?.link ?? []).some(({ type }) => type === 'replaces');
      if (merged !== wanted) return false;
      this.#take(operation, undefined);
      return true;
    }
    const made: (Made | undefined)[] = [];
    for (const write of operation.writes) made.push(await this.#found(write));
    const there = made.filter((each) => each !== undefined);
    if (there.length === 0) return false;
    if (there.length < made.length) this.#faults.push(`${describe(operation)} was carried out by half`);
    this.#take(operation, there);
    return true;
  }

  get #patients(): KnownRecord[] {
    return this.#records.filter(({ type }) => type === 'Patient');
  }

  #next(): Operation {
    if (this.person.isDirectory) return operationOf(this.#directoryWrite());
    const patients = this.#patients;
    const [first, second] = patients;
    const wanted = this.#number % 5 === 0 ? 2 : 1;
    if (!first || (!second && wanted === 2)) {
      return operationOf(this.#creation('Patient', ''));
    }
    const live = this.#records.filter(({ deleted, type }) => !deleted && type !== 'Consent' && type !== 'Patient');
    const consents = this.#records.filter(({ deleted, type }) => !deleted && type === 'Consent');
    const chart = this.#random.pick(patients).name;
    const { consents: ofConsents, staged } = this.#options;
    if (this.#random.between(0, 100) < staged)
      return operationOf(...this.#creations(chart, this.#random.whole(100, 120)));
    const isNew = consents.length === 0 && this.#random.chance(0.5);
    if (isNew || this.#random.between(0, 100) < ofConsents) return operationOf(this.#consentWrite(chart, consents));
    const drawn = this.#random.between(0, 100);
    if (drawn < 4 && second) return { is: this.person.merged ? 'unmerge' : 'merge', sent: 0 };
    if (drawn < 8 && !this.person.merged) return operationOf(this.#update(this.#random.pick(patients)));
    if (drawn < 36 && live.length > 0) return operationOf(this.#update(this.#random.pick(live)));
    if (drawn < 46 && live.length > 3) return operationOf(this.#deletion(this.#random.pick(live)));
    if (drawn < 72) return operationOf(this.#creation(this.#random.pick(typesInCharts), chart));
    return operationOf(...this.#several(chart, live));
  }

  /** Several writes of one transaction, each of another record. */
  #several(chart: string, live: readonly KnownRecord[]): Write[] {
    const changed = live.filter(() => this.#random.chance(2 / live.length)).map((record) => this.#update(record));
    return [...this.#creations(chart, this.#random.whole(2, 7)), ...changed];
  }

  #creations(chart: string, count: number): Write[] {
    return Array.from({ length: count }, () => this.#creation(this.#random.pick(typesInCharts), chart));
  }

  #directoryWrite(): Write {
    const known = this.#records.filter(({ deleted }) => !deleted);
    if (known.length < 2 || this.#random.chance(0.2)) return this.#creation('Location', '');
    return this.#random.chance(0.1) ? this.#deletion(this.#random.pick(known)) : this.#update(this.#random.pick(known));
  }

  #creation(type: WrittenType, chart: string, labels = this.#labels(type, 0.1)): Write {
    const mark = this.#mark();
    const resource = bodyOf(type, { person: this.#number, chart, mark, labels });
    return { do: 'create', type, chart, resource, labels, mark };
  }

  #update(record: KnownRecord): Write {
    const mark = this.#mark();
    const labels = this.#labels(record.type, 0.15);
    const { type, chart, name } = record;
    const resource = bodyOf(type as WrittenType, { person: this.#number, chart, mark, labels });
    return { do: 'update', type, chart, record, resource: { ...resource, id: idOf(name) }, labels, mark };
  }

  #deletion(record: KnownRecord): Write {
    const { type, chart, labels, mark } = record;
    return { do: 'delete', type, chart, record, labels, mark };
  }

  /** A Consent that is given, changed, ended, given again or deleted. */
  #consentWrite(chart: string, consents: readonly KnownRecord[]): Write {
    const record = consents.length > 0 && this.#random.chance(0.8) ? this.#random.pick(consents) : undefined;
    if (record && (consents.length > mostConsents || this.#random.chance(0.1))) return this.#deletion(record);
    const to = this.#random.chance(0.7) ? this.#others : [this.#random.pick(this.#others)];
    const isInForce = record !== undefined && this.person.consents.has(record.name);
    const ends = isInForce && this.#random.chance(0.5);
    const kind = this.#random.pick(this.#random.chance(0.7) ? consentKinds.slice(0, openingKinds) : consentKinds);
    return this.#consent(record?.chart ?? chart, { kind, to }, record, ends);
  }

  /** Those that a Consent may name: a denial to the own organisation would be a request to it, with a task of its own. */
  get #others(): readonly string[] {
    return this.#options.receivers.filter((each) => each !== this.person.custodian);
  }

  #consent(
    chart: string,
    { kind, to }: { readonly kind: ConsentKind; readonly to: readonly string[] },
    record?: KnownRecord,
    ends = false,
  ): Write {
    const mark = this.#mark();
    const status = ends ? 'inactive' : 'active';
    const resource = marked({ ...kind.body(chart, to), status }, { mark, labels: [] });
    const given = ends ? undefined : { kind, to };
    const write = { type: 'Consent', chart, labels: [], mark, given } as const;
    if (!record) return { ...write, do: 'create', resource };
    return { ...write, do: 'update', record, resource: { ...resource, id: idOf(record.name) } };
  }

  /** What is said of the directory and of who a patient is, is not restricted. */
  #labels(type: string, probability: number): string[] {
    return type !== 'Patient' && type !== 'Location' && this.#random.chance(probability) ? ['R'] : [];
  }

  #mark(): string {
    this.#marks += 1;
    return `m${this.#number}-${this.#marks}`;
  }

  #sendWrites(writes: readonly Write[]): Promise<Answer | undefined> {
    const { api } = this.#options;
    const [first] = writes;
    if (writes.length === 1 && first) {
      const [method, path] = requestOf(first);
      return api(this.person.custodian, method, path, first.resource);
    }
    return api(this.person.custodian, 'POST', '', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: writes.map((write) => {
        const [method, url] = requestOf(write);
        return { ...(write.resource ? { resource: write.resource } : {}), request: { method, url } };
      }),
    });
  }

  #sendMerge(is: 'merge' | 'unmerge'): Promise<Answer | undefined> {
    const [kept, source] = this.#patients;
    return this.#options.api(this.person.custodian, 'POST', `${kept?.name}/$${is}`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'source', valueReference: { reference: source?.name ?? '' } }],
    });
  }

  async #read(path: string): Promise<fhir4.FhirResource | undefined> {
    const answer = await this.#options.api(this.person.custodian, 'GET', path);
    if (!answer || (answer.status >= 300 && answer.status !== 404 && answer.status !== 410))
      throw new Error(`GET ${path} was answered with ${answer?.status}`);
    return answer.status === 200 ? answer.body : undefined;
  }

  /** What a write has made that was not answered; undefined if it was not carried out. */
  async #found(write: Write): Promise<Made | undefined> {
    const { record, mark, type, chart } = write;
    if (write.do === 'delete')
      return (await this.#read(record?.name ?? '')) ? undefined : this.#madeBy(write, undefined);
    if (record) {
      const version = await this.#read(`${record.name}/_history/${record.version + 1}`);
      return version && markIn(version) === mark ? this.#madeBy(write, undefined) : undefined;
    }
    const found = (await this.#read(`${type}?${this.#where(type, chart)}${byMark(mark)}`)) as fhir4.Bundle;
    const [first] = (found.entry ?? []).filter(({ search }) => search?.mode !== 'outcome');
    return first?.resource && this.#madeBy(write, `${type}/${first.resource.id}`);
  }

  #where(type: string, chart: string): string {
    if (type === 'Patient') return `identifier=${identifierSystem}|${canaryOf(this.#number)}&`;
    return type === 'Location' ? '' : `patient=${idOf(chart)}&`;
  }

  #madeBy(write: Write, location: string | undefined): Made {
    const { record, type, labels, mark } = write;
    const name = record?.name ?? location ?? '';
    const kind = write.do === 'delete' ? 'deleted' : record ? 'updated' : 'created';
    const chart = write.chart || name;
    const change = { chart, name, version: (record?.version ?? 0) + 1, kind, facts: { type, labels } } as const;
    return { write, change: { ...change, mark: kind === 'deleted' ? undefined : mark } };
  }

  /** Takes in what was carried out. */
  #take(operation: Operation, made: readonly Made[] | undefined): void {
    const done = made ? this.#doneBy(made) : this.#doneByMerge(operation.is === 'merge');
    this.person.carriedOut(operation.sent, this.#options.moments(), done);
  }

  #doneBy(made: readonly Made[]): Done {
    for (const { write, change } of made) {
      const { record, labels, mark, type } = write;
      const { name, chart, version, kind } = change;
      const deleted = kind === 'deleted';
      if (record) Object.assign(record, { version, labels, mark, deleted });
      else this.#records.push({ type, name, chart, version, labels, mark, deleted });
    }
    const consents = made
      .filter(({ write }) => write.type === 'Consent')
      .map(({ write, change }) => [change.name, write.given && { ...write.given, chart: change.chart }] as const);
    return { changes: made.map(({ change }) => change), consents: new Map(consents) };
  }

  #doneByMerge(merged: boolean): Done {
    const changes = this.#patients.map((record) => {
      record.version += 1;
      const { name, version, mark, labels } = record;
      return {
        chart: name,
        name,
        version,
        kind: 'updated',
        facts: { type: 'Patient', labels, linked: merged },
        mark,
      } as const;
    });
    return { changes, merged };
  }
}

/** It is sent when it is made. */
const operationOf = (...writes: Write[]): Operation => ({ is: 'writes', writes, sent: 0 });

interface Made {
  readonly write: Write;
  readonly change: Omit<Change, 'person' | 'sent' | 'state'>;
}

const idOf = (name: string): string => name.slice(name.indexOf('/') + 1);

const requestOf = ({ do: what, type, record }: Write): ['POST' | 'PUT' | 'DELETE', string] => {
  if (what === 'create') return ['POST', type];
  return [what === 'update' ? 'PUT' : 'DELETE', record?.name ?? ''];
};

/** `Type/id` of what a write has made, by the answer to it or to its transaction. */
const nameIn = ({ location, body }: Answer, at: number): string | undefined => {
  const of = body?.resourceType === 'Bundle' ? body.entry?.[at]?.response?.location : location;
  return /([A-Z][A-Za-z]+\/[^/]+)\/_history\/\d+$/.exec(of ?? '')?.[1];
};

const describe = (operation: Operation): string =>
  operation.is === 'writes'
    ? operation.writes.map((write) => `${requestOf(write).join(' ')} (${write.given?.kind.name ?? ''})`).join(', ')
    : operation.is;

const codeIn = (body: fhir4.FhirResource | undefined): string =>
  body?.resourceType === 'OperationOutcome' ? (body.issue[0]?.details?.coding?.[0]?.code ?? '') : '';
