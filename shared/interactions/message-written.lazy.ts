import type { Resource } from '../fhir/resource.ts';
import type { Answered } from './answered.ts';
import { byChannel } from './by-channel.ts';
import type { RequestContext } from './context.ts';
import { threaded } from './threaded.ts';

/** What a message needs to know of others before it is written: the thread of what it answers, and how its patient wants to be reached. */
export const messageWritten = async (
  context: RequestContext,
  chart: string,
  resource: Resource,
  before: Resource | undefined,
): Promise<Answered> => {
  const told =
    resource.resourceType === 'Communication'
      ? await threaded(context, chart, resource, before)
      : { resource, notices: [] };
  return { ...told, resource: await byChannel(context, chart, told.resource, before) };
};
