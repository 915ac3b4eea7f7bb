import { decideType } from '../access/decide.ts';
import type { Asking } from '../access/question.ts';
import { maskedReferences } from '../fhir/masks.ts';
import { isResourceType } from '../fhir/references.ts';
import { factsOfType } from '../record-types/subjects.ts';
import type { StoredRecord } from '../store/rows.ts';

/**
 * What one caller is shown of records that the caller may see: what they say of others that the caller's role may not see is masked. Whatever leaves the
 * server and whatever a search looks at goes through here, so nobody finds by what is not shown.
 */
export class View {
  readonly #asking: Asking;
  readonly #views = new WeakMap<StoredRecord, StoredRecord>();
  readonly #hidden = new Map<string, boolean>();

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  /** The record as the caller is shown it; itself, if that is all of it. */
  of(record: StoredRecord): StoredRecord {
    const known = this.#views.get(record);
    if (known) return known;
    const resource = record.resource && maskedReferences(record.resource, record.version, (name) => this.hides(name));
    const view = resource === record.resource ? record : { ...record, resource };
    this.#views.set(record, view);
    return view;
  }

  /** Whether the caller's role keeps all records of its type, given as `Type/id`, from the caller. What an application's scopes leave out is no secret from its user. */
  hides(name: string): boolean {
    const type = name.slice(0, name.indexOf('/'));
    const known = this.#hidden.get(type);
    if (known !== undefined) return known;
    const decision = isResourceType(type) && decideType(this.#asking, 'r', factsOfType(type));
    const hides = decision && !decision.permit && decision.reason === 'role';
    this.#hidden.set(type, hides);
    return hides;
  }
}
