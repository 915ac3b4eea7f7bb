/**
 * What tells a browser that an app of another origin may read answers. Any may: a request says who is asking by its token alone, and there are
 * no cookies that another site could make use of. https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export const crossOriginHeaders = {
  'Access-Control-Allow-Origin': '*',
  // what an app needs of an answer beside its body
  'Access-Control-Expose-Headers':
    'ETag, Last-Modified, Location, Content-Location, Content-Disposition, Retry-After, Allow, Accept-Patch, WWW-Authenticate, X-FHIR-Request-Validation, X-Request-Id, X-Correlation-Id, X-Security-Context, x-amzn-RequestId',
} as const;

/** What a browser may send, as the gateway tells it before it sends a token. */
export const preflightHeaders = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
  'Access-Control-Allow-Headers':
    'Accept, Authorization, Content-Type, Content-Encoding, Idempotency-Key, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, Prefer, X-Request-Id, X-Requested-With, X-Security-Context',
  // two hours, the most that browsers keep
  'Access-Control-Max-Age': '7200',
} as const;
