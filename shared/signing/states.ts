import { RecordError } from '../errors.ts';
import type { Resource } from '../fhir/resource.ts';

/** Types that are signed. */
export type SignableType = 'Composition' | 'DocumentReference' | 'DiagnosticReport';

/** Who signs what: the professionals who write such records, by their roles. An application does not sign. */
export const signers: Readonly<Record<SignableType, readonly string[]>> = {
  Composition: ['physician', 'nurse'],
  DocumentReference: ['physician', 'nurse'],
  DiagnosticReport: ['physician', 'lab'],
};

/**
 * What a record says once it is signed: its state is final where it was not, and it names who answers for it.
 *
 * @param signer - `Type/id`.
 * @param now - milliseconds since 1970.
 * @throws RecordError `business-rule` in a state in which nothing is signed.
 * @see https://hl7.org/fhir/R4/valueset-composition-status.html https://hl7.org/fhir/R4/valueset-diagnostic-report-status.html
 */
export const signedState = (resource: Resource, signer: string, now: number): Resource => {
  switch (resource.resourceType as SignableType) {
    case 'Composition': {
      const { status, attester = [] } = resource as unknown as fhir4.Composition;
      const mode = attester.length === 0 ? ('legal' as const) : ('professional' as const);
      const by = { mode, time: new Date(now).toISOString(), party: { reference: signer } };
      return {
        ...resource,
        status: finalOf(status, ['preliminary'], ['final', 'amended'], resource),
        attester: [...attester, by],
      };
    }
    case 'DocumentReference': {
      const { status, docStatus = 'preliminary' } = resource as unknown as fhir4.DocumentReference;
      if (status !== 'current') throw notSignable(resource, status, 'status');
      const next = finalOf(docStatus, ['preliminary'], ['final', 'amended'], resource, 'docStatus');
      return { ...resource, docStatus: next, authenticator: { reference: signer } };
    }
    case 'DiagnosticReport': {
      const { status, resultsInterpreter = [] } = resource as unknown as fhir4.DiagnosticReport;
      const kept = ['final', 'amended', 'corrected', 'appended'];
      const named = resultsInterpreter.some(({ reference }) => reference === signer);
      return {
        ...resource,
        status: finalOf(status, ['registered', 'partial', 'preliminary'], kept, resource),
        resultsInterpreter: named ? resultsInterpreter : [...resultsInterpreter, { reference: signer }],
      };
    }
  }
};

const finalOf = (
  status: string,
  begun: readonly string[],
  kept: readonly string[],
  resource: Resource,
  element = 'status',
): string => {
  if (begun.includes(status)) return 'final';
  if (kept.includes(status)) return status;
  throw notSignable(resource, status, element);
};

const notSignable = ({ resourceType }: Resource, status: string, element: string) =>
  new RecordError('business-rule', `What is ${status} is not signed`, {
    reason: 'not-signable',
    expression: `${resourceType}.${element}`,
  });
