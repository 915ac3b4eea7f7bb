import dns from 'node:dns';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { LookUp } from '../../../shared/webhooks/look-up.ts';
import { type PosterOptions, type PostOutcome, posterTo } from '../../../shared/webhooks/post.ts';
import { selfSigned } from '../../support/self-signed.ts';

/** Longer than any machine needs: what ends earlier, ends for another reason. */
const longMs = 200_000;
const loopback = ['http://127.0.0.1:*', 'http://localhost:*'];

/** Listens on loopback, and knows its open sockets. */
const listening = async (server: Server) => {
  const sockets = new Set<Socket>();
  let taken = 0;
  server.on('connection', (socket: Socket) => {
    taken += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}/hook`, open: () => sockets.size, taken: () => taken };
};

const answering = (listener: RequestListener) => listening(createHttpServer(listener));

/** Says what the test writes, whatever it is asked. */
const saying = (say: (socket: Socket) => void) =>
  listening(
    createTcpServer((socket) => {
      socket.once('data', () => say(socket));
    }),
  );

const post = (url: string, options: Partial<PosterOptions> = {}, timeoutMs = longMs): Promise<PostOutcome> =>
  posterTo({ furtherHosts: loopback, bodyMs: 50, ...options })(url, { headers: {}, body: '{}', timeoutMs });

/** Sockets of this process that are connected. */
const connections = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

describe('a post', () => {
  it('tells how long the other side asks to be left alone', async () => {
    const { url } = await answering((request, answer) => {
      const { searchParams } = new URL(request.url ?? '', 'http://here');
      answer.writeHead(429, { 'retry-after': searchParams.get('say') ?? '' }).end();
    });
    const said = (say: string) => post(`${url}?say=${encodeURIComponent(say)}`);

    expect(await said('120')).toEqual({ status: 429, retryAfterMs: 120_000 });
    expect(await said('Fri, 27 Nov 2020 12:00:00 GMT')).toEqual({ status: 429, retryAfterMs: 0 });
    for (const text of ['-1', '1e9', 'soon', '9'.repeat(10), '2020-11-27'])
      expect(await said(text)).toEqual({ status: 429 });
  });

  it('sends its body and headers with ours, once, and closes the connection', async () => {
    const requests: { method: unknown; url: unknown; headers: unknown; body: string }[] = [];
    const { url, port, open } = await answering((request, answer) => {
      void bodyOf(request).then((body) => {
        requests.push({ method: request.method, url: request.url, headers: request.headers, body });
        answer.end('thanks');
      });
    });
    const headers = {
      'content-type': 'application/fhir+json',
      authorization: 'Bearer x',
      host: 'inside',
      'content-length': '1',
      connection: 'upgrade',
    };

    const outcome = await posterTo({ furtherHosts: loopback, bodyMs: longMs })(`${url}?a=1`, {
      headers,
      body: '{"name":"Zoë"}',
    });

    expect(outcome).toEqual({ status: 200 });
    expect(requests).toEqual([
      {
        method: 'POST',
        url: '/hook?a=1',
        body: '{"name":"Zoë"}',
        headers: {
          'content-type': 'application/fhir+json',
          authorization: 'Bearer x',
          host: `127.0.0.1:${port}`,
          'content-length': '15',
          'accept-encoding': 'identity',
          'user-agent': 'Concord',
          connection: 'close',
        },
      },
    ]);
    await expect.poll(open).toBe(0);
  });

  it.each([200, 202, 204, 400, 410, 429, 500, 503])('tells the status %d', async (status) => {
    const { url } = await answering((_, answer) => answer.writeHead(status).end());

    expect(await post(url)).toEqual({ status });
  });

  it('reaches localhost by each address that it has', async () => {
    const { port, taken } = await answering((_, answer) => answer.end());
    const lookUp = vi.fn<LookUp>();

    expect(await post(`http://localhost:${port}/`, { lookUp })).toEqual({ status: 200 });
    expect(taken()).toBe(1);
    expect(lookUp).not.toHaveBeenCalled();
  });

  it('tells that nobody listens', async () => {
    const server = createTcpServer();
    const { url } = await listening(server);
    await new Promise((resolve) => server.close(resolve));

    expect(await post(url)).toEqual({ failed: 'connection' });
  });
});

describe('an endpoint', () => {
  it.each([
    'http://hooks.example.org/',
    'https://127.0.0.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://2130706433/',
    'https://[::ffff:127.0.0.1]/',
    'https://user:secret@hooks.example.org/',
    'not a url',
  ])('is judged once more when something is posted: %s', async (url) => {
    const lookUp = vi.fn<LookUp>();

    expect(await post(url, { furtherHosts: [], lookUp })).toEqual({ failed: 'endpoint' });
    expect(lookUp).not.toHaveBeenCalled();
  });

  it.each([
    ['loopback', ['127.0.0.1']],
    ['loopback, IPv6', ['::1']],
    ['metadata', ['169.254.169.254']],
    ['private', ['10.0.0.7']],
    ['unique local', ['fd12::7']],
    ['mapped', ['::ffff:10.0.0.7']],
    ['NAT64', ['64:ff9b::a00:7']],
    ['6to4', ['2002:a00:7::']],
    ['unspecified', ['0.0.0.0']],
    ['public and private', ['93.184.215.14', '192.168.0.1']],
    [
      'a public one first and loopback last',
      ['93.184.215.14', '93.184.215.15', '93.184.215.16', '93.184.215.17', '127.0.0.1'],
    ],
    ['nothing', []],
    ['something else', ['localhost']],
  ])('is not reached where its name has %s', async (_, addresses) => {
    const lookUp = vi.fn<LookUp>(() => Promise.resolve(addresses));

    expect(await post('https://hooks.example.org/', { lookUp })).toEqual({ failed: 'address' });
    expect(lookUp).toHaveBeenCalledTimes(1);
  });

  it('is not reached where DNS fails', async () => {
    expect(await post('https://hooks.example.org/', { lookUp: () => Promise.reject(new Error('SERVFAIL')) })).toEqual({
      failed: 'address',
    });
  });

  it('that a stage names is not reached on loopback by its name', async () => {
    const { port, taken } = await answering((_, answer) => answer.end());
    const furtherHosts = [`http://hooks.partner.example:${port}`];

    expect(
      await post(`http://hooks.partner.example:${port}/`, {
        furtherHosts,
        lookUp: () => Promise.resolve(['127.0.0.1']),
      }),
    ).toEqual({ failed: 'address' });
    expect(taken()).toBe(0);
  });

  it('is connected to by the addresses that were judged, though its name has another one by then', async () => {
    const { port, taken } = await answering((_, answer) => answer.end());
    const answers = [['127.0.0.1'], ['169.254.169.254']];
    const lookUp = vi.fn<LookUp>(() => Promise.resolve(answers.shift() ?? []));
    const bySystem = vi.spyOn(dns, 'lookup');
    onTestFinished(() => bySystem.mockRestore());

    const outcome = await post(`http://hooks.localhost:${port}/`, {
      furtherHosts: ['http://hooks.localhost:*'],
      lookUp,
    });

    expect(outcome).toEqual({ status: 200 });
    expect(taken()).toBe(1);
    expect(lookUp).toHaveBeenCalledTimes(1);
    expect(bySystem).not.toHaveBeenCalled();
  });

  it('is given up with a look-up that takes for ever, which is told to end', async () => {
    let ended = false;
    const lookUp: LookUp = (_, end) =>
      new Promise(() => {
        end.addEventListener('abort', () => {
          ended = true;
        });
      });

    expect(await post('https://hooks.example.org/', { lookUp }, 50)).toEqual({ failed: 'time' });
    expect(ended).toBe(true);
  });
});

describe('an answer', () => {
  it('that redirects to the inside is told and not followed', async () => {
    const inside = await answering((_, answer) => answer.end());
    for (const status of [301, 302, 303, 307, 308]) {
      const { url, taken } = await answering((_, answer) => answer.writeHead(status, { location: inside.url }).end());

      expect(await post(url)).toEqual({ status });
      expect(taken()).toBe(1);
    }
    expect(inside.taken()).toBe(0);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['never comes', () => undefined],
    ['has headers that come letter by letter', (socket) => drip(socket, 'HTTP/1.1 200 OK\r\n', 'X')],
    ['has interim answers that come one by one', (socket) => drip(socket, '', 'HTTP/1.1 102 Processing\r\n\r\n', 6)],
  ])('that %s is given up when its time is over', async (_, say) => {
    const { url, open } = await saying(say);

    expect(await post(url, {}, 100)).toEqual({ failed: 'time' });
    await expect.poll(open).toBe(0);
  });

  it('is given up where the request is not even read', async () => {
    const { url, open } = await listening(createTcpServer({ pauseOnConnect: true }));
    const body = 'x'.repeat(20_000_000);

    expect(await posterTo({ furtherHosts: loopback })(url, { headers: {}, body, timeoutMs: 100 })).toEqual({
      failed: 'time',
    });
    expect(open()).toBeLessThanOrEqual(1); // a paused socket does not see its end
  });

  it.each<[string, (socket: Socket) => void]>([
    ['comes byte by byte', (socket) => drip(socket, 'HTTP/1.1 200 OK\r\n\r\n', 'x')],
    ['never ends', (socket) => flood(socket, 'HTTP/1.1 200 OK\r\n\r\n', Buffer.alloc(65_536, 'x'))],
    [
      'never ends in chunks',
      (socket) =>
        flood(
          socket,
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
          Buffer.from(`ffff\r\n${'x'.repeat(65_535)}\r\n`),
        ),
    ],
    ['promises more than comes', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nx')],
    ['breaks off', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx')],
    [
      'is followed by another answer',
      (socket) =>
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n'),
    ],
  ])('counts by its status, whatever its body does: it %s', async (_, say) => {
    const { url, open } = await saying(say);

    expect(await post(url)).toEqual({ status: 200 });
    await expect.poll(open).toBe(0);
  });

  it('is read to some 64 KB and no further', async () => {
    let written = 0;
    const { url } = await saying((socket) => {
      flood(socket, 'HTTP/1.1 200 OK\r\n\r\n', Buffer.alloc(16_384, 'x'), (bytes) => {
        written += bytes;
      });
    });

    expect(await post(url)).toEqual({ status: 200 });
    expect(written).toBeLessThan(20_000_000); // what lies in the buffers of two sockets, not an endless stream
  });

  it('is never inflated', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    const { url } = await answering((_, answer) => answer.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    const before = process.memoryUsage().arrayBuffers;

    expect(await post(url)).toEqual({ status: 200 });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5_000_000);
  });

  it.each<[string, (socket: Socket) => void]>([
    [
      'has huge headers',
      (socket) => flood(socket, 'HTTP/1.1 200 OK\r\n', Buffer.from(`X-A: ${'a'.repeat(1_000)}\r\n`)),
    ],
    ['has 9 KB of headers', (socket) => socket.end(`HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(9_000)}\r\n\r\n`)],
    ['has one huge header', (socket) => flood(socket, 'HTTP/1.1 200 OK\r\nX-A: ', Buffer.alloc(1_000, 'a'))],
    [
      'changes to another protocol',
      (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n'),
    ],
    [
      'floods interim answers',
      (socket) => flood(socket, '', Buffer.from('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50))),
    ],
    ['is no HTTP', (socket) => socket.write('220 mail.example ESMTP\r\n')],
    [
      'has two lengths',
      (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'),
    ],
  ])('is none where it %s', async (_, say) => {
    const { url, open } = await saying(say);

    expect(await post(url)).toEqual({ failed: 'answer' });
    await expect.poll(open).toBe(0);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['before anything', (socket) => socket.end()],
    ['by a reset', (socket) => socket.resetAndDestroy()],
    ['within the headers', (socket) => socket.end('HTTP/1.1 200 OK\r\nX-A')],
    ['behind a 101 without an upgrade', (socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')],
  ])('is none where the connection is broken off %s', async (_, say) => {
    const { url, open } = await saying(say);

    expect(await post(url)).toEqual({ failed: expect.stringMatching(/^(?:connection|answer)$/) as string });
    await expect.poll(open).toBe(0);
  });
});

describe('TLS', () => {
  const trusted = selfSigned({ names: ['hooks.example.org'], addresses: [[127, 0, 0, 1]] });
  const other = selfSigned({ names: ['other.example.org'], addresses: [[127, 0, 0, 9]] });
  const furtherHosts = ['https://127.0.0.1:*'];

  const secured = async (certificate: typeof trusted) => {
    let served = 0;
    const server = createHttpsServer({ cert: certificate.cert, key: certificate.key }, (_, answer) => {
      served += 1;
      answer.end();
    });
    const { port, open } = await listening(server);
    return { url: `https://127.0.0.1:${port}/`, open, served: () => served };
  };

  it('is used where the certificate is for the host and trusted', async () => {
    const { url, open } = await secured(trusted);

    expect(await post(url, { furtherHosts, ca: trusted.cert })).toEqual({ status: 200 });
    await expect.poll(open).toBe(0);
  });

  it.each([
    ['that nobody trusts', trusted, undefined],
    ['of another authority', trusted, other.cert],
    ['for another host', other, other.cert],
  ])('is refused with a certificate %s, and nothing is sent', async (_, certificate, ca) => {
    const { url, open, served } = await secured(certificate);
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0'); // an environment must not turn a check off
    const warning = vi.spyOn(process, 'emitWarning').mockReturnValue(undefined); // which Node gives of that variable
    onTestFinished(() => {
      vi.unstubAllEnvs();
      warning.mockRestore();
    });

    expect(await post(url, { furtherHosts, ...(ca === undefined ? {} : { ca }) })).toEqual({ failed: 'certificate' });
    expect(served()).toBe(0);
    await expect.poll(open).toBe(0);
  });

  it('is not replaced by plain HTTP', async () => {
    const { port } = await answering((_, answer) => answer.end());

    expect(await post(`https://127.0.0.1:${port}/`, { furtherHosts })).toEqual({ failed: 'certificate' });
  });
});

it('leaves no connection open, however posts end', async () => {
  const before = connections();
  const ways: ((socket: Socket) => void)[] = [
    (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok'),
    (socket) => socket.write('HTTP/1.1 500 Oh\r\nConnection: keep-alive\r\n\r\n'),
    (socket) => socket.write('garbage'),
    (socket) => flood(socket, 'HTTP/1.1 200 OK\r\n\r\n', Buffer.alloc(65_536)),
  ];
  const silent = await saying(() => undefined);
  const servers = await Promise.all(ways.map(saying));

  await Promise.all(servers.flatMap(({ url }) => Array.from({ length: 5 }, () => post(url))));
  await Promise.all(Array.from({ length: 5 }, () => post(silent.url, {}, 100)));

  for (const { open, taken } of servers) {
    expect(taken()).toBe(5);
    await expect.poll(open).toBe(0);
  }
  await expect.poll(silent.open).toBe(0);
  await expect.poll(connections).toBeLessThanOrEqual(before);
});

/** Writes something again and again, some milliseconds apart. */
const drip = (socket: Socket, first: string, text: string, most = Number.POSITIVE_INFINITY): void => {
  socket.write(first);
  let left = most;
  const timer = setInterval(() => {
    left -= 1;
    if (left < 0) clearInterval(timer);
    else socket.write(text);
  }, 10);
  socket.on('close', () => clearInterval(timer));
};

/** Writes something for as long as it is taken. */
const flood = (
  socket: Socket,
  first: string,
  chunk: Buffer,
  wrote: (bytes: number) => void = () => undefined,
): void => {
  socket.write(first);
  const more = () => {
    while (!socket.destroyed) {
      wrote(chunk.length);
      if (!socket.write(chunk)) return;
    }
  };
  socket.on('drain', more);
  more();
};
