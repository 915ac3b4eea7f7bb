import { decide, decideType } from '../access/decide.ts';
import { noRedisclosure } from '../access/labels.ts';
import { namesProgramme } from '../access/programmes.ts';
import type { Asking } from '../access/question.ts';
import { withCustodian } from '../fhir/custodian.ts';
import { maskedReferences } from '../fhir/masks.ts';
import { isResourceType } from '../fhir/references.ts';
import { headsOwnChart } from '../record-types/homes.ts';
import { factsOfType } from '../record-types/subjects.ts';
import type { Address } from '../store/keys.ts';
import type { RecordStore } from '../store/record-store.ts';
import type { StoredRecord } from '../store/rows.ts';
import { withNotice } from './programme-labels.ts';
import type { SharedCharts } from './shared-charts.ts';

/**
 * What one caller is shown of records that the caller may see: who keeps them, if that is another organisation than the caller's; and where they name others, it is masked if the caller's role keeps these from the caller, and in what
 * another organisation keeps also if they are not shared, and everywhere if they are psychotherapy notes of somebody else. Whatever leaves the server and whatever a search looks at goes through here, so nobody finds by what is
 * not shown.
 */
export class View {
  readonly #asking: Asking;
  readonly #store: RecordStore;
  readonly #sharing: SharedCharts;
  readonly #programmes: ReadonlySet<string>;
  readonly #views = new WeakMap<StoredRecord, StoredRecord>();
  readonly #hidden = new Map<string, boolean>();
  /** Whether what records of other organisations name, as `Type/id`, is to be seen; not there if nobody has looked, and then it is not. */
  readonly #named = new Map<string, boolean>();

  /** @param programmes - `Type/id` of the network's substance-use programmes. */
  constructor(asking: Asking, store: RecordStore, sharing: SharedCharts, programmes: ReadonlySet<string>) {
    this.#programmes = programmes;
    this.#asking = asking;
    this.#store = store;
    this.#sharing = sharing;
  }

  /** The record as the caller is shown it; itself, if that is all of it. What another organisation keeps is to be prepared first. */
  of(record: StoredRecord): StoredRecord {
    const known = this.#views.get(record);
    if (known) return known;
    const named = this.#sharing.namedBy(record);
    const hidden = this.hiddenIn(record);
    const hides = (name: string) => hidden(name) || (named?.has(name) === true && !this.#named.get(name));
    const said = record.resource && (this.#asking.proxy?.shows?.(record.resource) ?? record.resource);
    const masked = said && maskedReferences(said, record.version, hides);
    const released = masked && this.#isReleased(record) ? withNotice(masked) : masked;
    const resource = released && this.#isElsewhere(record) ? withCustodian(released, record.custodian) : released;
    const view = resource === record.resource ? record : { ...record, resource };
    this.#views.set(record, view);
    return view;
  }

  /** Whether it comes from another organisation than the reader's, or the reader is of none. What is no patient's is the network's, whoever looks after it. */
  #isElsewhere({ type, custodian }: StoredRecord): boolean {
    return custodian !== this.#asking.caller.organization && !headsOwnChart(type);
  }

  /** Whether it goes from a substance-use programme to another organisation. Most bear the notice that goes with it; what was written before is given it. */
  #isReleased({ chart, custodian, labels, resource }: StoredRecord): boolean {
    const { organization } = this.#asking.caller;
    const programmes = this.#sharing.known(chart)?.programmes ?? this.#programmes;
    return (
      organization !== undefined &&
      custodian !== organization &&
      !labels.includes(noRedisclosure) &&
      (programmes.has(`Organization/${custodian}`) || namesProgramme(resource, programmes))
    );
  }

  /** Whether it is still to be looked up if what a record names may be seen. */
  needs(record: StoredRecord): boolean {
    return [...(this.#sharing.namedBy(record)?.keys() ?? [])].some((name) => !this.#named.has(name));
  }

  /**
   * Looks up whether what records of other organisations name may be seen: one call for all of them, none for what the caller's own organisation keeps.
   *
   * @returns how many calls were made.
   * @throws RecordError `too-costly` if what they name is too large to be held together.
   */
  async prepare(records: readonly StoredRecord[]): Promise<number> {
    const asked = new Map<string, Address>();
    for (const record of records.filter((each) => this.needs(each))) {
      this.#views.delete(record);
      for (const [name, address] of this.#sharing.namedBy(record) ?? []) {
        if (this.#named.has(name)) continue;
        if (address) asked.set(name, address);
        this.#named.set(name, false);
      }
    }
    if (asked.size === 0) return 0;
    const read = await this.#store.readMany([...asked.values()]);
    const looked = await this.#sharing.lookUp(read);
    for (const record of read) this.#named.set(`${record.type}/${record.id}`, this.#shows(record));
    return looked + 1;
  }

  /** What a Binary is under is another record's; other organisations' are not shared. */
  #shows(record: StoredRecord): boolean {
    const { type, resource } = record;
    if (!resource || type === 'Binary') return false;
    return decide(this.#asking, 'r', factsOfType(type), record, this.#sharing.of(record)).permit;
  }

  /** Which names are masked in a record of the own organisation: of types that the role may not see, and of others' psychotherapy notes. */
  hiddenIn({ notes }: Pick<StoredRecord, 'notes'>): (name: string) => boolean {
    const { fhirUser } = this.#asking.caller;
    return (name) =>
      this.hides(name) || (notes !== undefined && Object.hasOwn(notes, name) && !notes[name]?.includes(fhirUser));
  }

  /** Whether the caller's role keeps all records of its type, given as `Type/id`, from the caller. What an application's scopes leave out is no secret from its user. */
  hides(name: string): boolean {
    const type = name.slice(0, name.indexOf('/'));
    const known = this.#hidden.get(type);
    if (known !== undefined) return known;
    const decision = isResourceType(type) && decideType(this.#asking, 'r', factsOfType(type));
    // Whose consent, task or access it is, a privacy officer has to know.
    const told = type === 'Patient' && this.#asking.caller.roles.includes('privacy');
    const hides = !told && decision && !decision.permit && decision.reason === 'role';
    this.#hidden.set(type, hides);
    return hides;
  }
}
