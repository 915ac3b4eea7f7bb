import { smartConfiguration } from '../access/smart-configuration.ts';
import { RecordError } from '../errors.ts';
import { capabilityStatement, type Described } from '../fhir/capability-statement.ts';
import { terminologyCapabilities } from '../fhir/terminology-capabilities.ts';
import type { FhirRequest } from '../http/fhir-request.ts';
import type { Answer } from './context.ts';
import { servedInput } from './terms/asked.ts';
import { expandInput } from './terms/expand.ts';

/**
 * FHIR capabilities, `GET metadata`. https://hl7.org/fhir/R4/http.html#capabilities
 *
 * @throws RecordError `invalid` for a mode that R4 does not have.
 */
export const capabilities = async (
  described: Omit<Described, 'smart'>,
  { query, baseUrl }: Pick<FhirRequest, 'query' | 'baseUrl'>,
): Promise<Answer> => {
  switch (query.find(([name]) => name === 'mode')?.[1]) {
    case 'terminology': {
      const { codeSystems } = await import('../fhir/generated/terminology.data.ts');
      return { statusCode: 200, resource: terminologyCapabilities(codeSystems, servedInput(expandInput), baseUrl) };
    }
    case 'full':
    case 'normative':
    case undefined:
      return {
        statusCode: 200,
        resource: capabilityStatement({ ...described, smart: smartConfiguration(process.env) }, baseUrl),
      };
  }
  throw new RecordError('invalid', 'The mode is full, normative or terminology', { expression: 'mode' });
};
