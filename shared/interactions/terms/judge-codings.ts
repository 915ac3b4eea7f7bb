import { RecordError } from '../../errors.ts';
import { invalidParameter } from '../../search/refusal.ts';
import { TerminologyGap } from '../../terminology/gap.ts';
import type { Verdict } from '../../terminology/validation.ts';
import type { Answer } from '../context.ts';
import type { OperationInput } from '../operation-input.ts';

/** How an operation is told which codes it is to judge, and by what measure. */
export const codingInput = {
  code: { type: 'code' },
  display: { type: 'string' },
  coding: { type: 'Coding' },
  codeableConcept: { type: 'CodeableConcept' },
  abstract: { type: 'boolean' },
  displayLanguage: { type: 'code' },
} as const;

/** A concept has a few codings; each may mean another version of a code system. */
const mostCodings = 20;

/**
 * The codings that are to be judged: one of them has to do.
 *
 * @param rest - system and version of a code that stands by itself.
 * @throws RecordError `invalid` unless one of the three ways to tell them is taken.
 */
export const askedCodings = (
  { code, coding, codeableConcept, display }: OperationInput<typeof codingInput>,
  rest: Pick<fhir4.Coding, 'system' | 'version'>,
): readonly fhir4.Coding[] => {
  const given = Object.entries({ code, coding, codeableConcept }).filter(([, value]) => value !== undefined);
  const [first, second] = given;
  if (!first) throw invalidParameter('code', 'The operation needs a code, a coding or a codeableConcept');
  if (second) throw invalidParameter(second[0], 'The operation takes one of code, coding and codeableConcept');
  if (code === undefined && display !== undefined)
    throw invalidParameter('display', 'A display goes with a code; a coding has one of its own');
  if ((codeableConcept?.coding?.length ?? 0) > mostCodings)
    throw new RecordError('too-costly', `A codeableConcept may have ${mostCodings} codings here`, {
      expression: 'codeableConcept',
    });
  if (code !== undefined) return [{ ...rest, code, ...(display === undefined ? {} : { display }) }];
  return coding ? [coding] : (codeableConcept?.coding ?? []);
};

/**
 * Answers whether one of the codings will do. One that does decides, also where another cannot be judged.
 *
 * @throws TerminologyGap where none does and one cannot be judged.
 */
export const judgeCodings = async (
  codings: readonly fhir4.Coding[],
  judge: (coding: fhir4.Coding) => Promise<Verdict>,
): Promise<Answer> => {
  const [verdicts, gaps]: [Verdict[], TerminologyGap[]] = [[], []];
  for (const coding of codings) {
    try {
      verdicts.push(await judge(coding));
    } catch (error) {
      if (!(error instanceof TerminologyGap)) throw error;
      gaps.push(error);
    }
  }
  const good = verdicts.find(({ faults }) => faults.length === 0);
  const [gap] = gaps;
  if (!good && gap) throw gap;
  const faults = codings.length === 0 ? ['There is no coding'] : verdicts.flatMap((each) => each.faults);
  const message = [...new Set(good ? good.hints : faults)].join('; ');
  const display = good ? good.display : verdicts.find((each) => each.display !== undefined)?.display;
  return {
    statusCode: 200,
    resource: {
      resourceType: 'Parameters',
      parameter: [
        { name: 'result', valueBoolean: good !== undefined },
        ...(message === '' ? [] : [{ name: 'message', valueString: message }]),
        ...(display === undefined ? [] : [{ name: 'display', valueString: display }]),
      ],
    },
  };
};
