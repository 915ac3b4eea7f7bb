import { describe, expect, it } from 'vitest';
import { acknowledgement } from '../../../shared/hl7-v2/acknowledgement.ts';
import { textOfBytes } from '../../../shared/hl7-v2/bytes.ts';
import { escaped, unescaped } from '../../../shared/hl7-v2/escapes.ts';
import { headerOf } from '../../../shared/hl7-v2/header.ts';
import { contentOf } from '../../../shared/hl7-v2/mapping/messages.ts';
import { Message } from '../../../shared/hl7-v2/message.ts';
import { senderExtension, senderIn } from '../../../shared/hl7-v2/sender.ts';
import { dateOf, dateTimeOf, instantOf } from '../../../shared/hl7-v2/times.ts';
import { senderEndpoint } from '../../support/hl7-v2.ts';

const usual = { field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&' };

describe('escape sequences', () => {
  it.each([
    ['a\\F\\b', 'a|b'],
    ['a\\S\\b\\T\\c\\R\\d', 'a^b&c~d'],
    ['C:\\E\\temp', 'C:\\temp'],
    ['one\\.br\\two', 'one\ntwo'],
    ['\\H\\bold\\N\\', 'bold'],
    ['\\XC3A9\\t\\XE9\\', 'ét\\XE9\\'],
    ['\\Zzz\\F\\', '\\Zzz|'],
    ['open \\F', 'open \\F'],
    ['plain', 'plain'],
  ])('reads %j as %j', (sent, meant) => {
    expect(unescaped(sent, usual)).toBe(meant);
  });

  it('writes what it reads', () => {
    expect(unescaped(escaped('a|b^c~d\\e&f\ng'), usual)).toBe('a|b^c~d\\e&f\ng');
  });

  it('reads the separators that a message names', () => {
    const message = new Message('MSH#*!?%#APP\rPID#1##7*x%y?F?z!8\r');

    expect(
      message
        .first('PID')
        ?.field(3)
        .repetitions.map((each) => [each.part(1), each.part(2), each.part(2, 2)]),
    ).toEqual([
      ['7', 'x', 'y#z'],
      ['8', '', ''],
    ]);
  });
});

describe('a field', () => {
  const message = new Message('MSH|^~\\&|APP\nPID|1||""|~|a^""^c\nNK1|1\nNK1|2\n');
  const field = (number: number) => message.first('PID')?.field(number);

  it('says a value, that there is none, or nothing', () => {
    expect([1, 2, 3, 4, 5, 99].map((number) => field(number)?.said)).toEqual([
      'value',
      'nothing',
      'removed',
      'nothing',
      'value',
      'nothing',
    ]);
    expect([field(5)?.part(2), field(5)?.part(3)]).toEqual(['', 'c']);
    expect(message.all('NK1').map(({ number }) => number)).toEqual([1, 2]);
  });
});

describe('times', () => {
  it.each([
    ['2026', '2026'],
    ['202602', '2026-02'],
    ['20260228', '2026-02-28'],
    ['2026022810', '2026-02-28T10:00:00-05:00'],
    ['202607041030', '2026-07-04T10:30:00-04:00'],
    ['20260704103015.1234', '2026-07-04T10:30:15.123-04:00'],
    ['20260704103015+0530', '2026-07-04T10:30:15+05:30'],
    ['20260704103015+0000', '2026-07-04T10:30:15Z'],
    ['20261101013000', '2026-11-01T01:30:00-04:00'],
    ['20260308023000', '2026-03-08T02:30:00-05:00'],
  ])('reads %s of New York as %s', (sent, meant) => {
    expect(dateTimeOf(sent, 'PID-29', 'America/New_York')).toBe(meant);
  });

  it.each([
    '',
    '26',
    '20260230',
    '20261301',
    '202601012560',
    '20260101240000',
    '20260101T10',
    '2026010110+9900',
    '20260101100000+0099',
    '20260101100000-1260',
    '00000101',
  ])('refuses %j', (sent) => {
    expect(() => dateTimeOf(sent, 'PID-29', 'UTC')).toThrow('This is no time');
  });

  it('tells the day alone, and the first instant of what is not exact', () => {
    expect(dateOf('202602281030', 'PID-7')).toBe('2026-02-28');
    expect(new Date(instantOf('202602', 'EVN-2', 'America/New_York')).toISOString()).toBe('2026-02-01T05:00:00.000Z');
  });
});

describe('what would take too long', () => {
  const sender = senderIn(senderEndpoint(), 'APP|FAC');

  it.each([
    ['segments', ['PID|||1^^^HOSP', ...Array.from({ length: 20_000 }, () => 'NTE|1')]],
    ['repetitions of a field', [`PID|||${'1^^^HOSP~'.repeat(2_000)}2^^^HOSP`]],
  ])('is not read, such as too many %s', (_, segments) => {
    const message = new Message(['MSH|^~\\&|APP|FAC|||2026||ADT^A04|1|P|2.5', ...segments].join('\r'));
    const reading = { message, sender, event: 'A04', happened: '2026' };
    expect(() => contentOf(reading)).toThrow(expect.objectContaining({ reason: 'not-filed', code: 'too-costly' }));
  });
});

describe('letters', () => {
  const named = (set: string) => `MSH|^~\\&|A|B|C|D|2026||ADT^A04|1|P|2.5.1||||||${set}\rPID|||1||José`;

  it.each([
    ['', 'utf8'],
    ['UNICODE UTF-8', 'utf8'],
    ['8859/1', 'latin1'],
  ] as const)('are read by MSH-18 %j', (set, encoding) => {
    expect(textOfBytes(Buffer.from(named(set), encoding))).toContain('José');
  });

  it.each([
    ['BIG-5', 'utf8'],
    ['', 'latin1'],
  ] as const)('are refused of %j in %s', (set, encoding) => {
    expect(() => textOfBytes(Buffer.from(named(set), encoding))).toThrow(/character set/);
  });
});

describe('a sender', () => {
  it('is what its Endpoint says', () => {
    const sender = senderIn(senderEndpoint(), 'APP|FAC');

    expect([sender.zone, sender.processing, [...sender.patientAuthorities], sender.numbers.get('visit')]).toEqual([
      'America/New_York',
      ['P'],
      ['HOSP'],
      'urn:test:visit',
    ]);
  });

  it.each<[string, fhir4.Extension[]]>([
    ['no zone', []],
    ['a zone that is none', [{ url: 'timezone', valueCode: 'Mars/Olympus' }]],
    [
      'a part that is not known',
      [
        { url: 'timezone', valueCode: 'UTC' },
        { url: 'timezon', valueCode: 'UTC' },
      ],
    ],
    [
      'an authority without a system',
      [
        { url: 'timezone', valueCode: 'UTC' },
        { url: 'authority', extension: [{ url: 'code', valueString: 'HOSP' }] },
      ],
    ],
    [
      'a number of something else',
      [
        { url: 'timezone', valueCode: 'UTC' },
        {
          url: 'number',
          extension: [
            { url: 'of', valueCode: 'shoe' },
            { url: 'system', valueUri: 'urn:x' },
          ],
        },
      ],
    ],
  ])('is not guessed with %s', (_, parts) => {
    expect(() => senderIn({ extension: [{ url: senderExtension, extension: parts }] }, 'APP|FAC')).toThrow();
    expect(() => senderIn({ extension: [] }, 'APP|FAC')).toThrow();
  });
});

describe('an acknowledgement', () => {
  const header = (version: string) =>
    headerOf(new Message(`MSH|^~\\&|APP|FAC|CONCORD|NORTH|20260301||ADT^A01^ADT_A01|42|P|${version}\r`));
  const remark = { severity: 'W', reason: 'field-form', message: 'no | time', at: 'PID-7', task: 'Task/1' } as const;

  it('swaps sender and receiver, and names place, code and severity', () => {
    const [msh = '', msa, err] = acknowledgement(header('2.5.1'), 'AA', [remark], 0).split('\r');

    expect(msh).toMatch(
      /^MSH\|\^~\\&\|CONCORD\|NORTH\|APP\|FAC\|19700101000000\+0000\|\|ACK\^A01\^ACK\|\w{20}\|P\|2\.5\.1\|{6}UNICODE UTF-8$/,
    );
    expect(msa).toBe('MSA|AA|42|Waits as Task/1: no \\F\\ time');
    expect(err).toBe('ERR||PID^1^7|102^^HL70357|W|field-form^^concord||Task/1|no \\F\\ time');
  });

  it('says it in one field before version 2.5', () => {
    expect(acknowledgement(header('2.3'), 'AA', [remark], 0).split('\r')[2]).toBe(
      'ERR|PID^1^7^102&no \\F\\ time&HL70357',
    );
  });
});
