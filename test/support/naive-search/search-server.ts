/** Who searches. */
export interface Searcher {
  readonly role: 'system' | 'physician' | 'frontdesk' | 'patient';
  readonly organization: 'northside' | 'lakeside';
  /** Id of the patient who searches. */
  readonly patient?: string;
}

export interface SearchAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A server whose searches are compared, however it is reached. */
export interface SearchServer {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** The server's own clock, in milliseconds since 1970. */
  readonly now: () => number;
  /**
   * @param path - relative to the base, or absolute.
   * @param body - sent as JSON; a text as a form.
   */
  readonly ask: (
    as: Searcher,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
  ) => Promise<SearchAnswer>;
}
