import type { Caller } from '../access/caller.ts';
import { stringifyJson } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { statusHistoryUrl } from './extensions.ts';

type Extended = Resource & { readonly status?: string; readonly extension?: readonly fhir4.Extension[] };

const isOfHistory = ({ url }: fhir4.Extension): boolean => url === statusHistoryUrl;

/**
 * An appointment with the states that it came into, each since the instant of its change: R4 has no element for when somebody arrived or was missed. What a client makes of that counts
 * for nothing. A first version has it as it was written, and so does what the organisation's own system imports, if it has any.
 *
 * @param now - milliseconds since 1970.
 */
export const keptOfAppointment = (
  before: Resource | undefined,
  next: Resource,
  now: number,
  { roles }: Pick<Caller, 'roles'>,
): Resource => {
  if (!before) return next;
  const { status: was, extension: earlier = [] } = before as Extended;
  const { status = '', extension = [] } = next as Extended;
  const [kept, said] = [earlier.filter(isOfHistory), extension.filter(isOfHistory)];
  const isSame = stringifyJson(said) === stringifyJson(kept);
  const history = roles.includes('system') && said.length > 0 && !isSame ? said : [...kept, ...since(was, status, now)];
  if (isSame && history.length === kept.length) return next;
  const { extension: _all, ...rest } = next as Extended;
  const all = [...extension.filter((each) => !isOfHistory(each)), ...history];
  return { ...rest, ...(all.length === 0 ? {} : { extension: all }) } as Resource;
};

const since = (was: string | undefined, status: string, now: number): fhir4.Extension[] =>
  was === status
    ? []
    : [
        {
          url: statusHistoryUrl,
          extension: [
            { url: 'status', valueCode: status },
            { url: 'since', valueInstant: new Date(now).toISOString() },
          ],
        },
      ];
