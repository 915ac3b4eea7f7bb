import { describe, expect, it } from 'vitest';
import { addressKind } from '../../../shared/webhooks/addresses.ts';

describe('addressKind', () => {
  it.each([
    ['public', ['1.1.1.1', '8.8.8.8', '100.63.255.255', '100.128.0.0', '172.15.255.255', '172.32.0.1', '192.167.1.1']],
    ['public', ['2606:4700:4700::1111', '2a00:1450:4001:830::200e', '2001:4860:4860::8888']],
    ['private', ['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1']],
    ['private', ['fc00::1', 'fd12:3456:789a::1']],
    ['loopback', ['127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1', '0000::0001']],
    [
      'special',
      [
        '169.254.169.254',
        '169.254.170.2',
        'fd00:ec2::254',
        'fe80::1',
        'fe80::1%lo',
        '2606:4700::1%eth0',
        'febf::1',
        'fec0::1',
      ],
    ],
    [
      'special',
      ['0.0.0.0', '0.1.2.3', '::', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255', 'ff02::1'],
    ],
    [
      'special',
      ['192.0.0.8', '192.0.2.1', '198.18.0.1', '198.19.255.255', '198.51.100.7', '203.0.113.9', '192.88.99.1'],
    ],
  ] as const)('finds %s what is %j', (kind, addresses) => {
    expect(addresses.map((address) => [address, addressKind(address)])).toEqual(addresses.map((each) => [each, kind]));
  });

  it.each([
    ['IPv4-mapped', ['::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:a9fe:a9fe', '0:0:0:0:0:ffff:10.0.0.1']],
    ['IPv4-compatible', ['::127.0.0.1', '::8.8.8.8']],
    ['IPv4-translated', ['::ffff:0:10.0.0.1']],
    ['NAT64', ['64:ff9b::169.254.169.254', '64:ff9b::8.8.8.8', '64:ff9b:1::a00:1']],
    ['6to4', ['2002:7f00:1::', '2002:a9fe:a9fe::1', '2002:808:808::1']],
    ['Teredo', ['2001:0:4136:e378:8000:63bf:3fff:fdd2']],
    ['documentation and tests', ['2001:db8::1', '3fff::1', '2001:2::1', '100::1']],
  ])('lets nobody reach IPv4 through %s', (_, addresses) => {
    for (const address of addresses) expect([address, addressKind(address)]).toEqual([address, 'special']);
  });

  it.each(['', 'localhost', '127.1', '2130706433', '0x7f.0.0.1', '0177.0.0.1', '1.1.1.1 ', '[::1]', '1.1.1.1:80'])(
    'takes no other way of writing for an address: %j',
    (text) => {
      expect(addressKind(text)).toBe('special');
    },
  );
});
