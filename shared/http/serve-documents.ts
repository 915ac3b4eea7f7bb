import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import middy from '@middy/core';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { RecordError } from '../errors.ts';
import { openApiDocument } from '../openapi/document.ts';
import { partOf } from '../openapi/part.ts';
import type { OpenApiDocument } from '../openapi/schema.ts';
import { contentSecurityPolicy, viewerPage, viewerScript, viewerStyles } from '../openapi/viewer-page.ts';
import { recordTypes } from '../record-types/index.ts';
import { otherRecordTypes } from '../record-types/other.ts';
import { crossOriginHeaders } from './cross-origin.ts';
import type { FhirEvent } from './fhir-event.ts';
import { headerOf } from './fhir-request.ts';
import { logRequest, renderErrors } from './middleware.ts';
import { wantedCodings } from './negotiate.ts';
import { ownRoutes } from './own-routes/index.ts';
import { serverAddress } from './server-address.ts';
import { systemRoutesOf } from './system-routes.ts';

/** Something that is the same for everybody. */
interface Document {
  readonly contentType: string;
  /** As it is sent: gzip. */
  readonly packed: Buffer;
  readonly etag: string;
}

/**
 * Serves what describes the API beside FHIR: `/openapi.json`, and `/`, a page to look at it and to try it, with its files under `/docs`. None of it
 * needs a token, and a browser that has it asks whether it is still the same.
 */
export const serveDocuments = () =>
  middy<FhirEvent, APIGatewayProxyResult>()
    .use(logRequest())
    .use(renderErrors())
    .handler(async (event: FhirEvent) => {
      if (event.httpMethod !== 'GET' && event.httpMethod !== 'HEAD') {
        throw new RecordError('method-not-allowed', 'This is only to be read', { headers: { Allow: 'GET, HEAD' } });
      }
      return sent(event, await documentAt(event));
    });

const documentAt = async (event: FhirEvent): Promise<Document> => {
  const { root, url } = serverAddress(event);
  const file = event.path.replace(/^\/docs\//, '');
  switch (file) {
    case '/':
      return made(`page of ${root}`, 'text/html', async () =>
        viewerPage(
          root,
          (await describedAt(url)).tags.map(({ name }) => name),
        ),
      );
    case '/openapi.json': {
      const tag = event.queryStringParameters?.tag;
      return made(`${tag ?? 'all'} of ${url}`, 'application/json', async () => {
        const whole = await describedAt(url);
        return JSON.stringify(tag === undefined ? whole : requirePart(whole, tag));
      });
    }
    case 'viewer.js':
      return made(file, 'text/javascript', () => viewerScript);
    case 'viewer.css':
      return made(file, 'text/css', () => viewerStyles);
    case 'swagger-ui-bundle.js':
      return packedAlready(file, 'text/javascript', 'script');
    case 'swagger-ui.css':
      return packedAlready(file, 'text/css', 'styles');
    case 'swagger-ui-bundle.js.LICENSE.txt': // the script names it
      return packedAlready(file, 'text/plain', 'licenses');
  }
  throw new RecordError('not-found', 'There is no such file', { reason: 'no-such-path' });
};

/** The document as it was last asked for: a page asks for it part by part. */
let last: { readonly url: string; readonly document: OpenApiDocument } | undefined;

const describedAt = async (url: string): Promise<OpenApiDocument> => {
  if (last?.url === url) return last.document;
  const texts = await import('../fhir/generated/api-description.data.ts');
  const { compartments } = await import('../fhir/compartments.lazy.ts');
  const systemRoutes = systemRoutesOf([...recordTypes, ...otherRecordTypes], ownRoutes);
  const document = openApiDocument(
    { recordTypes, otherRecordTypes, ownRoutes, systemRoutes, compartments, texts },
    url,
  );
  last = { url, document };
  return document;
};

const requirePart = (whole: OpenApiDocument, tag: string): OpenApiDocument => {
  const part = partOf(whole, tag);
  if (!part) throw new RecordError('not-found', 'The document has no such tag', { expression: 'tag' });
  return part;
};

/** By what they are called; few, though a client may make up hosts. */
const kept = new Map<string, Document>();
const mostKept = 100;

const keep = (name: string, document: Document): Document => {
  if (kept.size >= mostKept) kept.clear();
  kept.set(name, document);
  return document;
};

const made = async (name: string, type: string, text: () => string | Promise<string>): Promise<Document> =>
  kept.get(name) ?? keep(name, documentOf(type, gzipSync(await text())));

const packedAlready = async (name: string, type: string, part: 'script' | 'styles' | 'licenses'): Promise<Document> =>
  kept.get(name) ??
  keep(name, documentOf(type, Buffer.from((await import('../openapi/viewer.data.ts'))[part], 'base64')));

const documentOf = (type: string, packed: Buffer): Document => ({
  contentType: `${type}; charset=utf-8`,
  packed,
  etag: `"${createHash('sha256').update(packed).digest('base64url').slice(0, 22)}"`,
});

const sent = (event: FhirEvent, { contentType, packed, etag }: Document): APIGatewayProxyResult => {
  const headers = {
    ETag: etag,
    'Cache-Control': 'no-cache',
    Vary: 'Accept-Encoding',
    'Content-Security-Policy': contentSecurityPolicy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    ...crossOriginHeaders,
  };
  const known = (headerOf(event, 'if-none-match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(etag) || known.includes('*')) return { statusCode: 304, headers, body: '' };
  const zipped = wantedCodings(headerOf(event, 'accept-encoding'))[0] === 'gzip';
  const bytes = zipped ? packed : gunzipSync(packed); // of HEAD, too: the gateway tells its length and keeps it back
  return {
    statusCode: 200,
    headers: { ...headers, 'Content-Type': contentType, ...(zipped ? { 'Content-Encoding': 'gzip' } : {}) },
    body: bytes.toString('base64'),
    isBase64Encoded: true,
  };
};
