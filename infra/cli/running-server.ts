import * as z from 'zod/mini';
import { CommandFailed } from './command.ts';

/** What a running local server says about its stand-ins. */
export interface RunningServer {
  /** FHIR base URL. */
  readonly url: string;
  /** Address of the Cognito stand-in. */
  readonly cognito: string;
  /** Applications by which people sign in with a password: staff, and patients. */
  readonly clientId: string;
  readonly patientClientId: string;
  /** Address of the event log. */
  readonly events: string;
  /** Address of the store, and the name of its table. */
  readonly dynamodb: string;
  readonly table: string;
  /** Address of the object store, and the name of its bucket of digests. */
  readonly objects: string;
  readonly digests: string;
  /** Address of the key service, and the key of digests. */
  readonly keys: string;
  readonly digestKey: string;
}

const answerSchema = z.object({
  cognito: z.url(),
  clientId: z.string(),
  patientClientId: z.string(),
  events: z.url(),
  dynamodb: z.url(),
  table: z.string(),
  objects: z.url(),
  digests: z.string(),
  keys: z.url(),
  digestKey: z.string(),
});

/** Base URL of the server that PORT names. */
export const defaultUrl = () => `http://localhost:${process.env.PORT || '3000'}/fhir`;

/**
 * Asks a running local server where its stand-ins are.
 *
 * @throws CommandFailed if nothing answers, or something else does.
 */
export const findRunningServer = async (url: string = defaultUrl()): Promise<RunningServer> => ({
  url: url.replace(/\/+$/, ''),
  ...(await askServer(url, answerSchema)),
});

/**
 * Asks a running local server what it is made of, as far as a schema names it.
 *
 * @throws CommandFailed if nothing answers, or something else does.
 */
export const askServer = async <Schema extends z.ZodMiniType>(
  url: string,
  schema: Schema,
): Promise<z.infer<Schema>> => {
  const origin = URL.canParse(url) ? new URL(url).origin : undefined;
  if (origin === undefined) throw new CommandFailed(`This is not a URL: ${url}`);
  const response = await fetch(`${origin}/_local`).catch(() => undefined);
  if (!response) {
    throw new CommandFailed(
      `No Concord answers at ${origin}. Start it with npm start, or name its port: PORT=<port> npm run …`,
    );
  }
  const found = schema.safeParse(await response.json().catch(() => undefined));
  if (!found.success) throw new CommandFailed(`What answers at ${origin} is not a local Concord.`);
  return found.data;
};
