import { describe, expect, it } from 'vitest';
import { allowedTypes, nameOfType } from '../../shared/content/allowed-types.ts';
import { keepUploaded, uploadedHash, uploadedOf, uploadedUrl, withUploaded } from '../../shared/content/uploaded.ts';
import type { Resource } from '../../shared/fhir/resource.ts';

const uploaded = { name: 'a'.repeat(26), size: 5_000_000, sha256: 'f'.repeat(64) };
const plain: Resource = { resourceType: 'Binary', contentType: 'image/png' };
const other = { url: 'https://others.test/extension', valueBoolean: true };

describe('uploaded content of a Binary', () => {
  it('is told of beside whatever else its meta says', () => {
    const told = withUploaded({ ...plain, meta: { source: 'x', extension: [other] } }, uploaded);

    expect(uploadedOf(told)).toEqual(uploaded);
    expect(uploadedHash(uploaded)).toBe(`sha256:${uploaded.sha256}`);
    expect(told.meta).toMatchObject({ source: 'x', extension: [other, { url: uploadedUrl }] });
    expect(uploadedOf(plain)).toBeUndefined();
  });

  it('stays while nothing else takes its place, whatever a client leaves out or makes up', () => {
    const before = withUploaded(plain, uploaded);
    const forged = withUploaded(plain, { ...uploaded, name: 'b'.repeat(26) });

    expect(uploadedOf(keepUploaded(before, plain))).toEqual(uploaded);
    expect(uploadedOf(keepUploaded(before, forged))).toEqual(uploaded);
    expect(keepUploaded(before, { ...forged, data: 'eA==' }).meta?.extension).toBeUndefined();
    expect(keepUploaded(undefined, forged).meta?.extension).toBeUndefined();
    expect(keepUploaded(plain, plain)).toBe(plain);
  });

  it('takes one place alone, beside what others say', () => {
    const next = keepUploaded(withUploaded(plain, uploaded), { ...plain, meta: { extension: [other] } });

    expect(next.meta?.extension?.map(({ url }) => url)).toEqual([other.url, uploadedUrl]);
  });
});

describe('types that may be uploaded', () => {
  it('are written as they are compared', () => {
    for (const type of allowedTypes) expect(nameOfType(type)).toBe(type);
    expect(nameOfType('Text/Plain ; charset=utf-8')).toBe('text/plain');
  });

  it.each([
    'text/html',
    'application/xhtml+xml',
    'image/svg+xml',
    'text/xml',
    'application/xml',
    'text/javascript',
    'application/javascript',
    'text/css',
    'application/wasm',
    'application/zip',
    'application/x-msdownload',
    'application/vnd.ms-word.document.macroEnabled.12',
    'multipart/mixed',
    'application/octet-stream',
  ])('hold no %s', (type) => {
    expect(allowedTypes.has(nameOfType(type))).toBe(false);
  });
});
