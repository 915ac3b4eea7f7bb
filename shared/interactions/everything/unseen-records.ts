import type { Role } from '../../access/caller.ts';
import { decide } from '../../access/decide.ts';
import { information } from '../../fhir/operation-outcome.ts';
import { factsOfType, type Subject } from '../../record-types/subjects.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';

/** Who treats patients. */
const clinicians: ReadonlySet<Role> = new Set(['physician', 'nurse', 'pharmacist']);

/** What neither a Consent nor an emergency would show, or what is no part of care. */
const besidesCare: ReadonlySet<Subject> = new Set(['consent', 'audit', 'provenance', 'tasks', 'messages']);

/** That there is more, and how to ask for it; not how much, of what, or whose. */
export const moreExists = information('information', [
  {
    message:
      'More of this chart exists than you may see. A Consent of the patient opens it, and in an emergency Patient/{id}/$break-glass',
    reason: 'more-exists',
  },
]);

/** What a reader meets in a chart that others keep and that is not shared. */
export class UnseenRecords {
  readonly #context: RequestContext;
  /** Whether there was something, on this page or before. */
  met: 0 | 1;

  constructor(context: RequestContext, met: 0 | 1) {
    this.#context = context;
    this.met = met;
  }

  /** Notes a record that may not be read; false, for it is not shown. */
  meets(record: StoredRecord): false {
    const type = factsOfType(record.type);
    const { asking, sharing } = this.#context;
    if (record.resource === undefined || besidesCare.has(type.subject)) return false;
    const decision = decide(asking, 'r', type, record, sharing.of(record));
    if (!decision.permit && decision.reason === 'custodian') this.met = 1;
    return false;
  }

  /**
   * Whether the caller is to be told: a clinician of the organisation that keeps the patient's record, or has a care relationship with that one.
   *
   * @param about - the record that the chart is asked for by.
   */
  isToldOf({ type, chart, custodian }: StoredRecord): boolean {
    const { asking, sharing } = this.#context;
    const { organization, roles } = asking.caller;
    const treats = custodian === organization || sharing.known(chart)?.isRelated(custodian) === true;
    return this.met === 1 && type === 'Patient' && treats && roles.some((role) => clinicians.has(role));
  }
}
