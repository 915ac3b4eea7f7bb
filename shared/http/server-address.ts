import type { APIGatewayProxyEvent } from 'aws-lambda';
import { headerOf } from './fhir-request.ts';

/**
 * Where this server is, as the client calls it. The gateway's path still has its stage, the event's own path has not.
 *
 * @returns `root`: the path before the event's own, such as `/api`, else empty; `url`: the same with scheme and host.
 */
export const serverAddress = (
  event: Pick<APIGatewayProxyEvent, 'headers' | 'path' | 'requestContext'>,
): { readonly root: string; readonly url: string } => {
  const host = headerOf(event, 'host') ?? event.requestContext.domainName ?? 'localhost';
  const scheme = headerOf(event, 'x-forwarded-proto')?.split(',')[0]?.trim() ?? 'https';
  const full = event.requestContext.path ?? event.path;
  const own = event.path.replace(/\/$/, '');
  const root = full.replace(/\/$/, '').endsWith(own) ? full.replace(/\/$/, '').slice(0, -own.length || undefined) : '';
  return { root, url: `${scheme}://${host}${root}` };
};
