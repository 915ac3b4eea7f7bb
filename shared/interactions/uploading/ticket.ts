import { RecordError } from '../../errors.ts';
import { openPage, sealPage } from '../../http/page-token.ts';
import type { Announced } from '../../store/content-objects.ts';
import type { RequestContext } from '../context.ts';

/** What an upload is to become. */
export interface Ticket extends Announced {
  /** Name of the object in quarantine. */
  readonly name: string;
  /** The collection of the Binary, and so its id. */
  readonly chart: string;
  /** Reference to the record whose rights it is to share. */
  readonly securityContext?: string;
}

const path = 'Binary/$complete';

/** A ticket, sealed for its caller and for a day: so an upload that comes to nothing leaves no row behind. */
export const sealTicket = ({ store, asking, now }: RequestContext, ticket: Ticket): string =>
  sealPage(store.keys.pages, { query: [], position: ticket }, { path, subject: asking.caller.subject, now });

/** @throws RecordError `invalid` for what was altered, is somebody else's, or is too old. */
export const openTicket = ({ store, asking, now }: RequestContext, sealed: string): Ticket => {
  try {
    const { position } = openPage(store.keys.pages, sealed, { path, subject: asking.caller.subject, now });
    return position as Ticket;
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    throw new RecordError('invalid', 'This is no upload of yours that could be completed; begin anew', {
      reason: 'upload-unknown',
      expression: 'upload',
    });
  }
};
