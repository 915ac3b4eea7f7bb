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
const moreExists = information('information', [
  {
    message:
      'More of this chart exists than you may see. A Consent of the patient opens it, and in an emergency Patient/{id}/$break-glass',
    reason: 'more-exists',
  },
]);

/** That something is withheld, and how to have that reviewed; not how much, of what, or when. https://www.law.cornell.edu/cfr/text/45/164.524 (d) */
const somethingWithheld = information('information', [
  {
    message:
      'Something of this chart is withheld for now, because a licensed professional has determined so. The organisation that keeps the chart tells on what ground, and has it reviewed by another licensed professional if you ask its privacy officer',
    reason: 'withheld',
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
    if (record.resource === undefined || (besidesCare.has(type.subject) && !record.withheld)) return false;
    const decision = decide(asking, 'r', type, record, sharing.of(record));
    if (decision.permit) return false;
    if (decision.reason === 'withheld' || (decision.reason === 'custodian' && !besidesCare.has(type.subject)))
      this.met = 1;
    return false;
  }

  /**
   * What the caller is told of it: a clinician of the organisation that keeps the patient's record, or has a care relationship with that one, that more exists;
   * the patient, and who acts for the patient, that something is withheld.
   *
   * @param about - the record that the chart is asked for by.
   */
  outcomeFor({ type, chart, custodian }: StoredRecord): fhir4.OperationOutcome | undefined {
    const { asking, sharing } = this.#context;
    const { organization, roles } = asking.caller;
    if (this.met === 0 || type !== 'Patient') return undefined;
    if (organization === undefined) return somethingWithheld;
    const treats = custodian === organization || sharing.known(chart)?.isRelated(custodian) === true;
    return treats && roles.some((role) => clinicians.has(role)) ? moreExists : undefined;
  }
}
