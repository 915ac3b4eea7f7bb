import { describe, expect, it } from 'vitest';
import { rewriteLinks } from '../../shared/fhir/links.ts';
import { rewriteNarrative } from '../../shared/fhir/narrative-links.ts';

const born = 'urn:uuid:2f1d2c1e-1111-4a55-8a83-0c8d5b1f6f11';

/** The resource with every link to `born` rewritten. */
const rewritten = (resource: object): object => {
  const copy = structuredClone(resource);
  rewriteLinks(copy, (link) => (link === born ? 'Binary/b' : undefined));
  return copy;
};

const div = (content: string) => `<div xmlns="http://www.w3.org/1999/xhtml">${content}</div>`;

describe('rewriteLinks', () => {
  it('finds links by the datatypes of elements, with their expressions, in document order', () => {
    const found: string[] = [];
    rewriteLinks(
      {
        resourceType: 'Observation',
        text: { status: 'generated', div: div('<a href="Patient/p">p</a>') },
        contained: [{ resourceType: 'DocumentReference', id: 'd', content: [{ attachment: { url: 'Binary/1' } }] }],
        extension: [
          { url: 'http://x.test/1', valueReference: { reference: 'Patient/p' } },
          { url: 'http://x.test/2', extension: [{ url: 'inner', valueUrl: 'http://x.test/u' }] },
        ],
        instantiatesUri: ['http://x.test/plan'],
        identifier: [{ system: 'http://x.test/s', value: 'http://x.test/v' }],
        code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
        subject: { reference: 'Patient/p', type: 'Patient' },
        component: [{ code: { text: 'x' }, extension: [{ url: 'u', valueUuid: born }] }],
        _status: { extension: [{ url: 'u', valueUri: 'http://x.test/beside' }] },
        derivedFrom: [{ reference: '#d' }, { reference: 'Media/m' }],
      },
      (link, kind, expression) => {
        found.push(`${expression} ${kind} ${link}`);
        return undefined;
      },
    );

    expect(found).toEqual([
      'Observation.text.div address Patient/p',
      'Observation.contained[0].content[0].attachment.url address Binary/1',
      'Observation.extension[0].valueReference.reference reference Patient/p',
      'Observation.extension[1].extension[0].valueUrl address http://x.test/u',
      'Observation.subject.reference reference Patient/p',
      // Reference.type is a URI, too.
      'Observation.subject.type address Patient',
      `Observation.component[0].extension[0].valueUuid address ${born}`,
      'Observation.status.extension[0].valueUri address http://x.test/beside',
      'Observation.derivedFrom[0].reference reference #d',
      'Observation.derivedFrom[1].reference reference Media/m',
    ]);
  });

  it('rewrites lists of addresses, and those of attachments', () => {
    expect(rewritten({ resourceType: 'CarePlan', instantiatesUri: ['http://x.test/1', born] })).toMatchObject({
      instantiatesUri: ['http://x.test/1', 'Binary/b'],
    });
    expect(rewritten({ resourceType: 'Patient', photo: [{ url: born }] })).toMatchObject({
      photo: [{ url: 'Binary/b' }],
    });
  });

  it('leaves canonical addresses, names of systems and of extensions, and texts', () => {
    const resource = {
      resourceType: 'Observation',
      meta: { profile: [born] },
      instantiatesCanonical: [born],
      extension: [
        { url: born, valueString: born },
        { url: 'http://x.test/c', valueCanonical: born },
      ],
      identifier: [{ system: born, value: born }],
      code: { coding: [{ system: born, code: 'x' }] },
      note: [{ text: born }],
    };

    expect(rewritten(resource)).toEqual(resource);
  });

  it('leaves the code systems that the groups of a ConceptMap name', () => {
    const resource = {
      resourceType: 'ConceptMap',
      group: [{ source: born, target: born, element: [{ code: 'a', target: [{ code: 'b' }] }] }],
    };

    expect(rewritten(resource)).toEqual(resource);
  });

  it('takes what was an OID or a UUID for a URI, with what stands beside it', () => {
    const resource = {
      resourceType: 'Basic',
      extension: [
        { url: 'http://x.test/1', valueUuid: born, _valueUuid: { id: 'a' } },
        { url: 'http://x.test/2', valueOid: born },
        { url: 'http://x.test/3', valueUuid: 'urn:uuid:00000000-0000-0000-0000-000000000001' },
      ],
    };

    expect(rewritten(resource)).toEqual({
      resourceType: 'Basic',
      extension: [
        { url: 'http://x.test/1', valueUri: 'Binary/b', _valueUri: { id: 'a' } },
        { url: 'http://x.test/2', valueUri: 'Binary/b' },
        { url: 'http://x.test/3', valueUuid: 'urn:uuid:00000000-0000-0000-0000-000000000001' },
      ],
    });
  });

  it('goes into Parameters, and into bundles in them', () => {
    const inBundle = { resourceType: 'Observation', subject: { reference: born } };
    const resource = {
      resourceType: 'Parameters',
      parameter: [
        { name: 'a', part: [{ name: 'value', valueReference: { reference: born } }] },
        { name: 'b', resource: { resourceType: 'Bundle', type: 'collection', entry: [{ resource: inBundle }] } },
      ],
    };

    expect(rewritten(resource)).toMatchObject({
      parameter: [
        { part: [{ valueReference: { reference: 'Binary/b' } }] },
        { resource: { entry: [{ resource: { subject: { reference: 'Binary/b' } } }] } },
      ],
    });
  });

  it.each<[what: string, resource: unknown]>([
    ['nothing', undefined],
    ['a text', 'Patient/p'],
    ['an unknown type', { resourceType: '__proto__', subject: { reference: born } }],
    [
      'elements of the wrong form',
      { resourceType: 'Observation', subject: [born], component: { extension: born }, text: 7 },
    ],
    ['a narrative that is no text', { resourceType: 'Observation', text: { div: { toString: '' } } }],
  ])('leaves %s as it is', (_what, resource) => {
    const copy = structuredClone(resource);

    rewriteLinks(copy, () => 'Binary/b');

    expect(copy).toEqual(resource);
  });
});

describe('rewriteNarrative', () => {
  const rewrite = (text: string) => rewriteNarrative(text, (link) => (link === 'urn:a?b&c' ? 'Binary/"1"' : undefined));

  it.each([
    ['an anchor', '<a href="urn:a?b&amp;c">x</a>', '<a href="Binary/&quot;1&quot;">x</a>'],
    ['an image', '<img alt="x" src="urn:a?b&amp;c"/>', '<img alt="x" src="Binary/&quot;1&quot;"/>'],
    [
      'single quotes',
      "<a title='>' href = 'urn:a?b&amp;c'>x</a>",
      '<a title=\'>\' href = "Binary/&quot;1&quot;">x</a>',
    ],
    ['another link', '<a href="urn:a">x</a>', '<a href="urn:a">x</a>'],
    ['another element', '<q cite="urn:a?b&amp;c">x</q>', '<q cite="urn:a?b&amp;c">x</q>'],
    ['another attribute', '<a title="urn:a?b&amp;c" href="#x">x</a>', '<a title="urn:a?b&amp;c" href="#x">x</a>'],
    ['text', 'urn:a?b&amp;c &lt;a href="urn:a?b&amp;c"&gt;', 'urn:a?b&amp;c &lt;a href="urn:a?b&amp;c"&gt;'],
    ['an entity that is none', '<a href="urn:a?b&amp;c&nbsp;">x</a>', '<a href="urn:a?b&amp;c&nbsp;">x</a>'],
  ])('rewrites what links and leaves the rest: %s', (_what, given, expected) => {
    expect(rewrite(div(given))).toBe(div(expected));
  });

  it('leaves what looks like a link within another attribute, in either kind of quotes', () => {
    const titles = `<a title="as in href='urn:a?b&amp;c'" href="urn:a?b&amp;c">x</a><img alt='a src="urn:a?b&amp;c"' src='urn:a?b&amp;c'/>`;

    expect(rewrite(titles)).toBe(
      `<a title="as in href='urn:a?b&amp;c'" href="Binary/&quot;1&quot;">x</a><img alt='a src="urn:a?b&amp;c"' src="Binary/&quot;1&quot;"/>`,
    );
  });

  it('reads a megabyte of what only begins like a link once', () => {
    const text = '<a href="'.repeat(100_000) + ' '.repeat(100_000);

    expect(rewrite(text)).toBe(text);
  });
});
