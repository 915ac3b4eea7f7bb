import { RecordError } from '../../errors.ts';
import type { ValidationIssue } from '../../fhir/validation-issue.ts';
import { notCheckedWords } from '../../order-checks/words.ts';
import type { ControlledCheck } from '../../prescriptions/controlled.ts';

/** @throws RecordError `business-rule`, `controlled-substance`: no reason goes beyond that. */
export const requireNotControlled = ({ found: [first] }: ControlledCheck): void => {
  if (!first) return;
  const { substance, schedule, source } = first;
  throw new RecordError(
    'business-rule',
    `${substance} is a controlled substance (schedule ${schedule}, ${source}). Such an order is signed with a two-factor module under 21 CFR 1311, which this server has none of`,
    { reason: 'controlled-substance', expression: 'MedicationRequest.medication[x]' },
  );
};

/** That nobody knows whether it is one, for who signs. */
export const notCheckedForControl = ({ complete }: ControlledCheck): ValidationIssue[] =>
  complete
    ? []
    : [
        {
          severity: 'information',
          code: 'not-supported',
          expression: 'MedicationRequest.medication[x]',
          message: `controlled: ${notCheckedWords['order-unknown']}`,
        },
      ];
