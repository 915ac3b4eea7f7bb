import type { APIGatewayProxyResult } from 'aws-lambda';
import { stringifyJson } from '../fhir/json.ts';
import type { Answer } from '../interactions/context.ts';
import { crossOriginHeaders } from './cross-origin.ts';
import { fhirJson } from './fhir-request.ts';

/** A Lambda may answer with 6 MB. Letters of what is set out in lines; where the spaces make it longer, it is sent without them. */
const longestPretty = 4_500_000;

/**
 * Where an answer holds a resource, its warnings stand in this header, as an OperationOutcome. It is called as HAPI FHIR calls it; API Gateway
 * gives HTTP's own `Warning` another name.
 */
const warningHeader = 'X-FHIR-Request-Validation';

/** JSON in the letters that a header may have. */
const headerText = (warnings: fhir4.OperationOutcome): string =>
  JSON.stringify(warnings).replace(/[^ -~]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * FHIR over API Gateway. Answers are never cached: the next request may be somebody else's. What HEAD is answered with has its body, too: the
 * gateway tells its length and keeps it back, so that the headers are those of GET.
 */
export const toProxyResult = (
  { statusCode, resource, content, headers, warnings }: Answer,
  options: { readonly pretty: boolean; readonly format?: string | undefined },
): APIGatewayProxyResult => {
  const pretty = resource !== undefined && options.pretty ? stringifyJson(resource, 2) : '';
  const body =
    pretty !== '' && pretty.length <= longestPretty ? pretty : resource === undefined ? '' : stringifyJson(resource);
  const type = content?.type ?? (resource && (options.format ?? `${fhirJson}; charset=utf-8`));
  return {
    statusCode,
    headers: {
      ...(type === undefined ? {} : { 'Content-Type': type }),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      Vary: 'Accept, Accept-Encoding',
      ...crossOriginHeaders,
      ...(warnings === undefined ? {} : { [warningHeader]: headerText(warnings) }),
      ...headers,
    },
    ...(content ? { body: content.bytes.toString('base64'), isBase64Encoded: true } : { body }),
  };
};
