import { decideType } from '../../access/decide.ts';
import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import { inParallel } from '../../store/in-parallel.ts';
import { poolList, rankAt } from '../../work/worklists.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { requireTypeAccess } from '../require-access.ts';
import { askedPage } from '../searchset.ts';
import { inboxInput } from './input.ts';
import { lastRank, listedWork, organizationOf, type Part } from './listed-work.ts';
import { belongsTo, positionsOf } from './memberships.ts';

const mostTeams = 10;
const readAtOnce = 8;

/**
 * `GET Task/$inbox`: what there is to do for the caller, the most urgent first: messages that are not received yet and open tasks, of the caller, of the caller's positions, of the pools of the caller's roles, of the whole
 * organisation and of the teams that are named. Overdue tasks come first, by how long: among them those of a pool that somebody else has, and those that the caller has asked for. One Query for the caller's positions, two or
 * three for each list, all at once, and one BatchGet for a page; and a row of the log for each chart that is shown.
 *
 * @throws RecordError `forbidden`; `invalid` for a team to which the caller does not belong.
 */
export const inbox: Interaction = async (context) => {
  requireTypeAccess(context, 's');
  const organization = organizationOf(context);
  const { asking, now } = context;
  const { roles, fhirUser } = asking.caller;
  const asked = askedPage(context);
  const input = readInput(context, inboxInput, asked?.query);
  const [teams, positions] = await Promise.all([teamsOf(context, input.team), positionsOf(context, fhirUser)]);
  const messages = decideType(asking, 's', factsOfType('Communication')).permit;
  const open = (list: string): Part => ({ list, as: 'task', until: lastRank });
  const overdue = (list: string): Part => ({ list, as: 'taken', until: rankAt(now) });
  const words = (list: string): Part[] => (messages ? [{ list, as: 'message', until: lastRank }] : []);
  const own = [fhirUser, ...positions, `Organization/${organization}`];
  const parts = [
    ...own.flatMap((list) => [...words(list), open(list), overdue(list)]),
    ...teams.flatMap((list) => [...words(list), open(list)]),
    ...roles.map(poolList).flatMap((list) => [open(list), overdue(list)]),
  ];
  const names = Object.keys(inboxInput);
  return listedWork(context, { operation: 'Task/$inbox', parts, asked, most: input._count, names });
};

/** Teams to which the caller belongs. */
const teamsOf = async (context: RequestContext, named: readonly fhir4.Reference[]): Promise<readonly string[]> => {
  if (named.length > mostTeams)
    throw new RecordError('too-costly', `At most ${mostTeams} teams at once`, { expression: 'team' });
  return inParallel(readAtOnce, named, async ({ reference = '' }) => {
    const parsed = parseReference(reference, context.request.baseUrl);
    const name = parsed.kind === 'record' && parsed.type === 'CareTeam' ? `CareTeam/${parsed.id}` : undefined;
    if (name !== undefined && (await belongsTo(context, name))) return name;
    throw new RecordError('invalid', 'This is no team of yours', { reason: 'reference-not-found', expression: 'team' });
  });
};
