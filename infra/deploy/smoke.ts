/** How often and how long apart, in milliseconds, a new deployment is asked: a gateway answers some seconds behind its stack. */
export const patience = { tries: 10, pauseMs: 3_000 };

/**
 * Asks what was deployed to describe itself: that goes through gateway and function, and needs no token. Behind the closed door of a stage everybody has to be told 503.
 *
 * @param url - FHIR base URL.
 * @param open - whether the stage is.
 * @returns what is wrong; undefined if it answers as it should.
 * @see https://hl7.org/fhir/R4/http.html#capabilities
 */
export const smoke = async (url: string, open: boolean, { tries, pauseMs } = patience): Promise<string | undefined> => {
  const answersAtOnce = open ? describesItself : isClosed;
  let wrong: string | undefined;
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    wrong = await answersAtOnce(url);
    if (wrong === undefined) return undefined;
    if (attempt < tries) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return wrong;
};

const describesItself = (url: string): Promise<string | undefined> =>
  told(url, async () => {
    const open = await fetch(`${url}/metadata`, { headers: { accept: 'application/fhir+json' } });
    const described = (await open.json().catch(() => ({}))) as { readonly resourceType?: unknown };
    if (open.status !== 200 || described.resourceType !== 'CapabilityStatement')
      return `${url}/metadata answered ${open.status} without a CapabilityStatement`;
    const closed = await fetch(`${url}/Patient`, { headers: { accept: 'application/fhir+json' } });
    return closed.status === 401 ? undefined : `${url}/Patient answered ${closed.status} without a token, not 401`;
  });

const isClosed = (url: string): Promise<string | undefined> =>
  told(url, async () => {
    const { status } = await fetch(`${url}/metadata`, { headers: { accept: 'application/fhir+json' } });
    return status === 503 ? undefined : `${url}/metadata answered ${status}, though the stage is closed`;
  });

/** Of an address that cannot be reached, why: fetch says that of the cause alone. */
const told = async (url: string, look: () => Promise<string | undefined>): Promise<string | undefined> => {
  try {
    return await look();
  } catch (error) {
    const { message, cause } = error instanceof Error ? error : new Error(String(error));
    return `${url}: ${message}${cause instanceof Error ? `: ${cause.message}` : ''}`;
  }
};
