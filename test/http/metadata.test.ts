import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { heldDefinitions } from '../../infra/generate/terminology.ts';
import { checkInvariants } from '../../shared/fhir/check-invariants.ts';
import { validateStructure } from '../../shared/fhir/validate.ts';
import { serveMetadata } from '../../shared/http/serve-metadata.ts';
import { otherRecordTypes } from '../../shared/record-types/other.ts';
import { base, proxyEvent } from '../support/fhir-server.ts';

const handler = serveMetadata() as unknown as (
  event: APIGatewayProxyEvent,
  context: Context,
) => Promise<APIGatewayProxyResult>;

const metadata = async (query: string) => {
  const event = proxyEvent('GET', `metadata${query}`, {}, undefined);
  const { statusCode, body } = await handler(
    { ...event, requestContext: { ...event.requestContext, requestId: 'request' } },
    {} as Context,
  );
  return { status: statusCode, body: JSON.parse(body) as fhir4.FhirResource };
};

describe('metadata', () => {
  it.each(['', '?mode=full', '?mode=normative'])('is the capability statement: %s', async (query) => {
    expect(await metadata(query)).toMatchObject({
      status: 200,
      body: { resourceType: 'CapabilityStatement', kind: 'instance' },
    });
  });

  it('with mode=terminology tells the code systems, and the input of $expand', async () => {
    const { status, body } = await metadata('?mode=terminology');
    expect(status).toBe(200);
    const { codeSystem = [], expansion, implementation } = body as fhir4.TerminologyCapabilities;

    expect(codeSystem).toHaveLength(heldDefinitions().codeSystems.length);
    expect(codeSystem).toContainEqual({
      uri: 'http://hl7.org/fhir/administrative-gender',
      version: [{ code: '4.0.1', isDefault: true }],
      subsumption: true,
    });
    expect(expansion?.parameter?.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['url', 'filter', 'count', 'force-system-version']),
    );
    expect(expansion?.parameter?.map(({ name }) => name)).not.toContain('date');
    expect(implementation?.url).toBe(base);
  });

  it('with mode=terminology is a valid resource', async () => {
    const { body } = await metadata('?mode=terminology');
    const type = otherRecordTypes.find(({ name }) => name === 'TerminologyCapabilities');
    if (!type) throw new Error('The type is not served');

    expect(validateStructure(type.schema, body)).toEqual([]);
    expect(checkInvariants(type.schema, type.invariants, body as never)).toEqual([]);
  });

  it('refuses another mode by name', async () => {
    expect(await metadata('?mode=other')).toMatchObject({
      status: 400,
      body: { issue: [{ code: 'invalid', expression: ['mode'] }] },
    });
  });
});
