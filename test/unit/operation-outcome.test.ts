import { describe, expect, it } from 'vitest';
import { RecordError, type RecordErrorKind } from '../../shared/errors.ts';
import { checkInvariants } from '../../shared/fhir/check-invariants.ts';
import { operationOutcomeInvariants } from '../../shared/fhir/generated/invariants/OperationOutcome.ts';
import { operationOutcomeSchema } from '../../shared/fhir/generated/schemas/OperationOutcome.ts';
import { information, reasonSystem, refusal } from '../../shared/fhir/operation-outcome.ts';
import { validateStructure } from '../../shared/fhir/validate.ts';

// https://hl7.org/fhir/R4/http.html and the codes of https://hl7.org/fhir/R4/valueset-issue-type.html
const answers: Record<RecordErrorKind, [status: number, code: string]> = {
  malformed: [400, 'structure'],
  invalid: [400, 'invalid'],
  'too-costly': [400, 'too-costly'],
  unauthenticated: [401, 'login'],
  forbidden: [403, 'forbidden'],
  'not-found': [404, 'not-found'],
  'method-not-allowed': [405, 'not-supported'],
  'not-acceptable': [406, 'not-supported'],
  conflict: [409, 'conflict'],
  deleted: [410, 'deleted'],
  'version-conflict': [412, 'conflict'],
  'multiple-matches': [412, 'multiple-matches'],
  'no-match': [412, 'not-found'],
  'too-large': [413, 'too-long'],
  'unsupported-media-type': [415, 'not-supported'],
  'business-rule': [422, 'business-rule'],
  throttled: [429, 'throttled'],
  unavailable: [503, 'transient'],
  incomplete: [500, 'incomplete'],
};

describe('refusal', () => {
  it.each(Object.entries(answers))(
    'answers %s with its status and code, as a legal OperationOutcome',
    (kind, [status, code]) => {
      const { statusCode, outcome } = refusal(new RecordError(kind as RecordErrorKind, 'Because'), 'r-1');

      expect(statusCode).toBe(status);
      expect(outcome.issue).toEqual([
        {
          severity: 'error',
          code,
          details: { coding: [{ system: reasonSystem, code: kind }], text: 'Because' },
          diagnostics: 'Because (request r-1)',
        },
      ]);
      expect(validateStructure(operationOutcomeSchema, outcome)).toEqual([]);
      expect(checkInvariants(operationOutcomeSchema, operationOutcomeInvariants, outcome)).toEqual([]);
    },
  );

  it('names every element that is wrong, with its own code', () => {
    const error = new RecordError('invalid', 'Two things', {
      reason: 'validation',
      details: [{ expression: 'Patient.name[0]', message: 'First', code: 'required' }, { message: 'Second' }],
    });

    const { outcome } = refusal(error, 'r-1');

    expect(outcome.issue.map(({ code, expression }) => ({ code, expression }))).toEqual([
      { code: 'required', expression: ['Patient.name[0]'] },
      { code: 'invalid', expression: undefined },
    ]);
    expect(outcome.issue.map(({ details }) => details?.coding?.[0]?.code)).toEqual(['validation', 'validation']);
  });

  it.each([
    new Error('Smith, John, born 1970'),
    new TypeError('Smith, John, born 1970'),
    'Smith, John, born 1970',
    { name: 'RecordError', kind: 'invalid', message: 'Smith, John, born 1970' },
    undefined,
  ])('takes anything else for a fault of ours, and does not repeat its words', (thrown) => {
    const answer = refusal(thrown, 'r-1');

    expect(answer.statusCode).toBe(500);
    expect(answer.outcome.issue).toHaveLength(1);
    expect(answer.outcome.issue[0]).toMatchObject({
      severity: 'fatal',
      code: 'exception',
      diagnostics: 'Internal server error (request r-1)',
    });
    expect(JSON.stringify(answer)).not.toContain('Smith');
  });

  it('cuts a name short that a client has sent, and not within a letter', () => {
    const expressionOf = (expression: string) =>
      refusal(new RecordError('invalid', 'x', { expression }), 'r').outcome.issue[0]?.expression?.[0];

    expect(expressionOf('a'.repeat(500))).toBe('a'.repeat(500));
    expect(expressionOf('a'.repeat(501))).toBe(`${'a'.repeat(499)}…`);
    expect(expressionOf('\u{1F9EC}'.repeat(300))?.isWellFormed()).toBe(true);
  });

  it('tells how to sign in with a 401, and only with it', () => {
    expect(refusal(new RecordError('unauthenticated', 'x'), 'r').headers).toHaveProperty('WWW-Authenticate');
    expect(refusal(new RecordError('forbidden', 'x'), 'r').headers).toEqual({});
  });

  it('sends the headers that the refusal needs', () => {
    const error = new RecordError('method-not-allowed', 'x', { headers: { Allow: 'GET' } });

    expect(refusal(error, 'r').headers).toEqual({ Allow: 'GET' });
  });
});

describe('information', () => {
  it('warns without refusing', () => {
    const outcome = information('warning', [
      { message: 'Ignored', expression: 'colour', code: 'not-supported' },
      { message: 'Slow' },
    ]);

    expect(outcome.issue).toEqual([
      {
        severity: 'warning',
        code: 'not-supported',
        details: { text: 'Ignored' },
        diagnostics: 'Ignored',
        expression: ['colour'],
      },
      { severity: 'warning', code: 'informational', details: { text: 'Slow' }, diagnostics: 'Slow' },
    ]);
    expect(validateStructure(operationOutcomeSchema, outcome)).toEqual([]);
  });
});
