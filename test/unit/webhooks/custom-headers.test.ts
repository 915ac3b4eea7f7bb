import { describe, expect, it } from 'vitest';
import { customHeadersOf } from '../../../shared/webhooks/custom-headers.ts';

describe('customHeadersOf', () => {
  it('reads headers, their names in lower case', () => {
    expect(customHeadersOf(['Authorization: Bearer abc.def', 'X-Route:7', "x!#$%&'*+-.^_`|~: a\tb"])).toEqual([
      { name: 'authorization', value: 'Bearer abc.def' },
      { name: 'x-route', value: '7' },
      { name: "x!#$%&'*+-.^_`|~", value: 'a\tb' },
    ]);
    expect(customHeadersOf([])).toEqual([]);
  });

  it.each([
    'X-A: 1\r\nHost: inside',
    'X-A: 1\nTransfer-Encoding: chunked',
    'X-A: 1\rX-B: 2',
    'X-A: 1\r\n\r\nGET / HTTP/1.1',
    'X-A\r\nHost: inside',
    'X-A: a\u0000b',
    'X-A: \u010d\u010a', // the letters whose low bytes are CR and LF
    'X-A : 1',
    ' X-A: 1',
    'X-A:',
    'X-A:  ',
    'X-A: 1 ',
    'X-A',
    ': 1',
    'X A: 1',
    'X-Ä: 1',
    '',
  ])('refuses %j, which could be read as another one', (line) => {
    expect(customHeadersOf([line])).toEqual({ refused: expect.stringMatching(/^are not all of the form/) as string });
  });

  it.each([
    'Host',
    'Content-Length',
    'Content-Type',
    'Content-Encoding',
    'Transfer-Encoding',
    'Connection',
    'Keep-Alive',
    'TE',
    'Trailer',
    'Upgrade',
    'Expect',
    'Proxy-Authorization',
    'Proxy-Connection',
    'Accept-Encoding',
    'User-Agent',
    'Webhook-Id',
    'WEBHOOK-SIGNATURE',
    'webhook-timestamp',
    'X-Forwarded-For',
    'Forwarded',
    'Via',
  ])('refuses %s, which is ours', (name) => {
    expect(customHeadersOf([`${name}: 1`])).toEqual({
      refused: `name ${name.toLowerCase()}, which is not theirs to say`,
    });
  });

  it('refuses one twice, too many, and too much', () => {
    expect(customHeadersOf(['X-A: 1', 'x-a: 2'])).toEqual({ refused: 'name x-a twice' });
    const tooMany = Array.from({ length: 21 }, (_, index) => `X-${index}: 1`);
    expect(customHeadersOf(tooMany)).toEqual({ refused: 'are more than 20 or 4096 letters' });
    expect(customHeadersOf(tooMany.slice(1))).toHaveLength(20);
    expect(customHeadersOf([`X-A: ${'a'.repeat(4_096)}`])).toEqual({ refused: 'are more than 20 or 4096 letters' });
  });

  it('never repeats a value, which is a secret', () => {
    for (const lines of [['X-A: topsecret\r\n'], ['Host: topsecret'], ['X-A: topsecret', 'X-A: topsecret']]) {
      expect(JSON.stringify(customHeadersOf(lines))).not.toContain('topsecret');
    }
  });
});
