import * as z from 'zod/mini';
import { CommandFailed } from '../command.ts';

/** Asks a deployment as whoever has a token. */
export interface FhirServer {
  /** A record; undefined if there is none that the caller may know of. */
  readonly read: (reference: string) => Promise<fhir4.FhirResource | undefined>;
  /** All that a search finds, page by page. */
  readonly search: (query: string) => Promise<fhir4.FhirResource[]>;
  readonly put: (resource: fhir4.FhirResource & { readonly id: string }) => Promise<void>;
  /** Writes all of it, or nothing. */
  readonly transaction: (resources: readonly (fhir4.FhirResource & { readonly id: string })[]) => Promise<void>;
}

const outcome = z.object({
  issue: z.array(
    z.object({ details: z.optional(z.object({ text: z.optional(z.string()) })), diagnostics: z.optional(z.string()) }),
  ),
});
const resource = z.looseObject({ resourceType: z.string() });
const bundle = z.looseObject({
  link: z.optional(z.array(z.object({ relation: z.string(), url: z.string() }))),
  entry: z.optional(
    z.array(
      z.looseObject({ resource: z.optional(resource), search: z.optional(z.object({ mode: z.optional(z.string()) })) }),
    ),
  ),
});

const timeoutMs = 30_000;

/**
 * A FHIR server by its base URL. Each method throws CommandFailed with the server's own words.
 *
 * @param what - what the caller is called in these words.
 */
export const fhirServerAt = (url: string, token: string): FhirServer => {
  const ask = async (method: string, address: string, body?: object) => {
    const response = await fetch(address, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json', prefer: 'return=minimal' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((error: unknown) => {
      throw new CommandFailed(`${url} does not answer: ${(error as Error).message}`);
    });
    const text = await response.text();
    return {
      status: response.status,
      ok: response.ok,
      answer: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
  };
  const required = async (method: string, path: string, body?: object) => {
    const asked = await ask(method, path.startsWith('http') ? path : `${url}/${path}`, body);
    if (asked.ok) return asked.answer;
    throw new CommandFailed(
      `${method} ${path.replace(/\?.*/, '')} was refused (${asked.status}): ${reasonIn(asked.answer)}`,
    );
  };
  return {
    read: async (reference) => {
      const { status, ok, answer } = await ask('GET', `${url}/${reference}`);
      if (status === 404 || status === 410) return undefined;
      if (!ok) throw new CommandFailed(`${reference} cannot be read (${status}): ${reasonIn(answer)}`);
      return resource.parse(answer) as unknown as fhir4.FhirResource;
    },
    search: async (query) => {
      const found: fhir4.FhirResource[] = [];
      for (let next: string | undefined = query; next !== undefined; ) {
        const page: z.infer<typeof bundle> = bundle.parse(await required('GET', next));
        for (const { resource: each, search } of page.entry ?? [])
          if (each && search?.mode !== 'outcome') found.push(each as unknown as fhir4.FhirResource);
        next = page.link?.find(({ relation }) => relation === 'next')?.url;
      }
      return found;
    },
    put: async (each) => void (await required('PUT', `${each.resourceType}/${each.id}`, each)),
    transaction: async (resources) => {
      const entry = resources.map((each) => ({
        resource: each,
        request: { method: 'PUT', url: `${each.resourceType}/${each.id}` },
      }));
      const answer = await ask('POST', url, { resourceType: 'Bundle', type: 'transaction', entry });
      if (!answer.ok)
        throw new CommandFailed(`The directory was not written (${answer.status}): ${reasonIn(answer.answer)}`);
    },
  };
};

const reasonIn = (answer: unknown): string =>
  outcome
    .safeParse(answer)
    .data?.issue.map(({ details, diagnostics }) => details?.text ?? diagnostics)
    .join('; ') ?? 'no reason was given';
