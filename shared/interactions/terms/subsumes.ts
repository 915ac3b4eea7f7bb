import { RecordError } from '../../errors.ts';
import { invalidParameter, unsupportedParameter } from '../../search/refusal.ts';
import type { CodeSystem, Concept } from '../../terminology/code-system.ts';
import { TerminologyGap } from '../../terminology/gap.ts';
import type { Interaction } from '../context.ts';
import { askedCodeSystem, namedBy, readTermsInput } from './asked.ts';
import { withTerms } from './open-terms.ts';

export const subsumesInput = {
  codeA: { type: 'code' },
  codeB: { type: 'code' },
  system: { type: 'uri' },
  version: { type: 'string' },
  codingA: { type: 'Coding' },
  codingB: { type: 'Coding' },
} as const;

/** A code that is compared, and the parameter that told it. */
interface Side {
  readonly parameter: string;
  readonly coding: fhir4.Coding;
}

/**
 * `CodeSystem/$subsumes` and `CodeSystem/{id}/$subsumes`: which of two codes is a kind of the other.
 * https://hl7.org/fhir/R4/codesystem-operation-subsumes.html
 *
 * @throws RecordError `not-found` for a code system that is not known; `invalid` for a code that it does not have; `not-supported` for codes of
 *   other systems, and where only a part of the code system is here.
 */
export const subsumes: Interaction = async (context, { id }) => {
  const asked = readTermsInput(context, subsumesInput);
  const a = sideOf('codeA', asked.codeA, 'codingA', asked.codingA);
  const b = sideOf('codeB', asked.codeB, 'codingB', asked.codingB);
  const { system: url, version = a.coding.version ?? b.coding.version } = asked;
  return withTerms(context, namedBy(id, asked, 'system'), async (terms) => {
    const codeSystem = await askedCodeSystem(context, terms, id, { parameter: 'system', url }, { version });
    const [first, second] = [conceptOf(codeSystem, a, version), conceptOf(codeSystem, b, version)];
    return {
      statusCode: 200,
      resource: {
        resourceType: 'Parameters',
        parameter: [{ name: 'outcome', valueCode: outcomeOf(codeSystem, first, second) }],
      },
    };
  });
};

const sideOf = (
  codeName: string,
  code: string | undefined,
  codingName: string,
  coding: fhir4.Coding | undefined,
): Side => {
  if (code !== undefined && coding)
    throw invalidParameter(codingName, `The operation takes ${codeName} or ${codingName}`);
  if (code !== undefined) return { parameter: codeName, coding: { code } };
  if (coding) return { parameter: codingName, coding };
  throw invalidParameter(codeName, `The operation needs ${codeName} or ${codingName}`);
};

const conceptOf = (codeSystem: CodeSystem, { parameter, coding }: Side, version: string | undefined): Concept => {
  const { system = parameter.startsWith('code') ? codeSystem.url : undefined, code = '' } = coding;
  if (system !== codeSystem.url)
    throw unsupportedParameter(
      parameter,
      'Codes of two code systems are not compared: nothing is known of how they relate',
    );
  if (coding.version !== undefined && coding.version !== version)
    throw unsupportedParameter(parameter, 'Codes of two versions of a code system are not compared');
  const concept = codeSystem.find(code);
  if (concept) return concept;
  if (!codeSystem.complete)
    throw new TerminologyGap(`Of ${codeSystem.url} a part is here, which does not have this code`);
  const message = 'The code system has no such code';
  throw new RecordError('invalid', message, { details: [{ expression: parameter, message, code: 'code-invalid' }] });
};

const outcomeOf = ({ ancestors, complete, url }: CodeSystem, a: Concept, b: Concept): string => {
  if (a.code === b.code) return 'equivalent';
  if (ancestors(b.code).has(a.code)) return 'subsumes';
  if (ancestors(a.code).has(b.code)) return 'subsumed-by';
  if (complete) return 'not-subsumed';
  throw new TerminologyGap(`Of ${url} a part is here, which does not tell all that is above a code`);
};
