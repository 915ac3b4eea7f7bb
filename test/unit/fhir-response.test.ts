import { describe, expect, it } from 'vitest';
import type { Resource } from '../../shared/fhir/resource.ts';
import { toProxyResult } from '../../shared/http/fhir-response.ts';

const resourceWith = (values: number): Resource =>
  ({ resourceType: 'Basic', values: Array.from({ length: values }, () => 'x') }) as Resource;
const bodyOf = (values: number, pretty: boolean) =>
  toProxyResult({ statusCode: 200, resource: resourceWith(values) }, { pretty }).body;

describe('an answer', () => {
  it('is set out in lines where that is asked for', () => {
    expect(bodyOf(1, true)).toBe('{\n  "resourceType": "Basic",\n  "values": [\n    "x"\n  ]\n}');
    expect(bodyOf(1, false)).toBe('{"resourceType":"Basic","values":["x"]}');
  });

  it('is sent without lines where the spaces would make it larger than a Lambda may answer with', () => {
    expect(bodyOf(600_000, true)).toBe(bodyOf(600_000, false));
    expect(bodyOf(600_000, true).length).toBeLessThan(4_500_000);
  });

  it('that has nothing to show has no body', () => {
    expect(toProxyResult({ statusCode: 200 }, { pretty: true }).body).toBe('');
  });

  it('may be read by apps of other origins, with the headers that they need', () => {
    const { headers } = toProxyResult({ statusCode: 200, headers: { ETag: 'W/"1"' } }, { pretty: false });

    expect(headers?.['Access-Control-Allow-Origin']).toBe('*');
    for (const name of ['ETag', 'Location', 'Last-Modified', 'Retry-After', 'X-FHIR-Request-Validation'])
      expect(String(headers?.['Access-Control-Expose-Headers']).split(', ')).toContain(name);
  });
});
