import { createSocket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { lookUpByDns } from '../../../shared/webhooks/look-up.ts';
import { posterTo } from '../../../shared/webhooks/post.ts';

/** A DNS server on loopback that knows these names, and says nothing of `silent.example`. https://www.rfc-editor.org/rfc/rfc1035#section-4 */
const dnsServer = async (addresses: Readonly<Record<string, readonly string[]>>) => {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += length + 1;
    }
    const question = query.subarray(12, at + 5);
    const isForIPv4 = query.readUInt16BE(at + 1) === 1;
    const name = labels.join('.');
    asked.push(`${name} ${isForIPv4 ? 'A' : 'AAAA'}`);
    if (name === 'silent.example') return;
    const answers = (addresses[name] ?? []).filter((each) => isIPv4(each) === isForIPv4).map(recordOf);
    const header = Buffer.from([
      ...query.subarray(0, 2),
      0x81,
      addresses[name] ? 0x80 : 0x83,
      0,
      1,
      0,
      answers.length,
      0,
      0,
      0,
      0,
    ]);
    socket.send(Buffer.concat([header, question, ...answers]), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void socket.close());
  return { asked, servers: [`127.0.0.1:${socket.address().port}`] };
};

/** A record of the name that was asked for. */
const recordOf = (address: string): Buffer => {
  const bytes = isIPv4(address)
    ? address.split('.').map(Number)
    : address.split(':').flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 0xff]);
  return Buffer.from([0xc0, 0x0c, 0, isIPv4(address) ? 1 : 28, 0, 1, 0, 0, 0, 0, 0, bytes.length, ...bytes]);
};

const never = () => new AbortController().signal;

it('gives all addresses of a name, of both kinds', async () => {
  const { servers } = await dnsServer({
    'both.example': ['93.184.215.14', '10.0.0.1', '2606:4700:0:0:0:0:0:1'],
    'four.example': ['93.184.215.14'],
    'none.example': [],
  });
  const lookUp = lookUpByDns(servers);

  expect([...(await lookUp('both.example', never()))].sort()).toEqual(['10.0.0.1', '2606:4700::1', '93.184.215.14']);
  expect(await lookUp('four.example', never())).toEqual(['93.184.215.14']);
  expect(await lookUp('none.example', never())).toEqual([]);
  expect(await lookUp('nobody.example', never())).toEqual([]);
});

it('ends when it is told to, though nobody answers', async () => {
  const { asked, servers } = await dnsServer({});
  const end = new AbortController();

  const found = lookUpByDns(servers)('silent.example', end.signal);
  await expect.poll(() => asked.length).toBeGreaterThan(0);
  end.abort();

  expect(await found).toEqual([]);
});

it('is what a post goes by: a name with one address inside is not connected to', async () => {
  const { asked, servers } = await dnsServer({ 'hooks.example': ['93.184.215.14', '127.0.0.1'] });

  const outcome = await posterTo({ furtherHosts: [], lookUp: lookUpByDns(servers) })('https://hooks.example/', {
    headers: {},
    body: '{}',
  });

  expect(outcome).toEqual({ failed: 'address' });
  expect([...new Set(asked)].sort()).toEqual(['hooks.example A', 'hooks.example AAAA']);
});
