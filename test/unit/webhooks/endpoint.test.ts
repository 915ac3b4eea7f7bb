import { describe, expect, it } from 'vitest';
import { endpointOf } from '../../../shared/webhooks/endpoint.ts';
import { furtherHostsFrom, isFurtherHost } from '../../../shared/webhooks/further-hosts.ts';

const judge = (text: string, furtherHosts: readonly string[] = []) => {
  const found = endpointOf(text, furtherHosts);
  return 'refused' in found ? found.refused : 'allowed';
};

describe('endpointOf', () => {
  it.each([
    'https://hooks.example.org',
    'https://hooks.example.org/fhir/notices?route=7&mail=a@b',
    'https://HOOKS.example.org:443/',
    'https://8.8.8.8/hook',
    'https://[2606:4700:4700::1111]/hook',
  ])('allows %s', (text) => {
    expect(judge(text)).toBe('allowed');
  });

  it.each([
    ['is not https', ['http://hooks.example.org/', 'http://127.0.0.1/']],
    ['has another port than 443', ['https://hooks.example.org:8443/', 'https://hooks.example.org:22/']],
    [
      'holds a user or a password; a header is the place for them',
      [
        'https://user:secret@hooks.example.org/',
        'https://user@hooks.example.org',
        'https://@hooks.example.org/',
        'https://hooks.example.org:443@127.0.0.1/',
      ],
    ],
    ['has a fragment', ['https://hooks.example.org/#', 'https://hooks.example.org/a#b']],
  ])('refuses what %s', (words, texts) => {
    for (const text of texts) expect([text, judge(text)]).toEqual([text, words]);
  });

  it.each([
    [
      'loopback',
      ['https://localhost/', 'https://127.0.0.1/', 'https://[::1]/', 'https://a.localhost/', 'https://LOCALHOST'],
    ],
    [
      'decimal, octal, hexadecimal, short',
      ['https://2130706433/', 'https://0177.0.0.1/', 'https://0x7f.1/', 'https://127.1/'],
    ],
    ['metadata', ['https://169.254.169.254/latest/meta-data/', 'https://2852039166/', 'https://[fd00:ec2::254]/']],
    [
      'private',
      ['https://10.1.2.3/', 'https://192.168.0.1/', 'https://172.16.9.9/', 'https://[fd12::1]/', 'https://0.0.0.0/'],
    ],
    [
      'mapped and translated',
      [
        'https://[::ffff:127.0.0.1]/',
        'https://[::ffff:7f00:1]/',
        'https://[64:ff9b::7f00:1]/',
        'https://[2002:7f00:1::]/',
      ],
    ],
    [
      'of the inside',
      [
        'https://intranet/',
        'https://printer.local/',
        'https://db.internal/',
        'https://hooks.example.org./',
        'https://1.0.0.127.in-addr.arpa/',
      ],
    ],
  ])('refuses hosts that are %s', (_, texts) => {
    for (const text of texts) expect([text, judge(text)]).toEqual([text, 'names no host of the internet']);
  });

  it.each([
    '',
    'hooks.example.org',
    '//hooks.example.org/',
    'ftp://hooks.example.org/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'https:hooks.example.org',
    'https:/\\hooks.example.org/',
    'https://hooks.example.org\\@127.0.0.1/',
    'https://hooks.example.org/a\r\nHost: inside',
    'https://hooks.exa\tmple.org/',
    ' https://hooks.example.org/',
    'https://hooks.example.org/ ',
    'https://１２７.0.0.1/',
    'https://ⓛocalhost/',
    'https://exa%00mple.org/',
    'https://[::1',
    'https://256.1.1.1/',
    `https://hooks.example.org/${'a'.repeat(2_048)}`,
  ])('refuses %j, which is none or could be read in two ways', (text) => {
    expect(judge(text)).toMatch(/^is no /);
  });

  it('allows the hosts that a stage names, with their port, scheme and private addresses, and no other', () => {
    const named = ['https://hooks.partner.example:8443', 'http://localhost:*', 'https://10.0.0.5'];

    expect(judge('https://hooks.partner.example:8443/x', named)).toBe('allowed');
    expect(judge('http://localhost:51234/hook', named)).toBe('allowed');
    expect(judge('https://10.0.0.5/hook', named)).toBe('allowed');
    expect(judge('http://hooks.partner.example:8443/x', named)).toBe('is not https');
    expect(judge('https://hooks.partner.example:8444/x', named)).toBe('has another port than 443');
    expect(judge('https://hooks.partner.example.evil.example:8443/x', named)).toBe('has another port than 443');
    expect(judge('http://127.0.0.1:51234/hook', named)).toBe('is not https');
    expect(judge('https://10.0.0.6/hook', named)).toBe('names no host of the internet');
  });

  it('allows private addresses to named hosts, loopback to loopback alone, and metadata to nobody', () => {
    const allowed = (text: string, named: readonly string[]) => {
      const found = endpointOf(text, named);
      if ('refused' in found) return found.refused;
      return (['public', 'private', 'loopback', 'special'] as const).filter(found.allows);
    };

    expect(allowed('https://hooks.example.org/', [])).toEqual(['public']);
    expect(allowed('https://a.partner.example/', ['https://a.partner.example'])).toEqual(['public', 'private']);
    expect(allowed('http://localhost:1/', ['http://localhost:*'])).toEqual(['loopback']);
    expect(allowed('https://169.254.169.254/', ['https://169.254.169.254'])).toBe('names no host of the internet');
  });
});

describe('furtherHostsFrom', () => {
  it('reads a list of origins, and none from nothing', () => {
    expect(furtherHostsFrom(undefined)).toEqual([]);
    expect(furtherHostsFrom('')).toEqual([]);
    expect(furtherHostsFrom('["http://localhost:*"]')).toEqual(['http://localhost:*']);
  });

  it.each([
    '{}',
    '"https://a.example"',
    '[1]',
    '["*"]',
    '["https://a.example/"]',
    '["https://a.example:443"]',
    'nothing',
  ])('fails at %s, rather than allow something else', (text) => {
    expect(() => furtherHostsFrom(text)).toThrow();
  });

  it('knows which texts name hosts', () => {
    const named = [
      'https://a.example',
      'https://a.example:8443',
      'http://localhost:*',
      'http://[::1]:*',
      'https://10.0.0.5',
    ];
    const wrong = [
      'https://*.example',
      'https://A.example',
      'ftp://a.example',
      'https://a.example:99999',
      'https://127.1',
      'https://u@a',
    ];

    expect(named.filter(isFurtherHost)).toEqual(named);
    expect(wrong.filter(isFurtherHost)).toEqual([]);
  });
});
