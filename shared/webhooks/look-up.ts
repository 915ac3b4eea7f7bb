import { promises as dns } from 'node:dns';

/** Gives all addresses of a name; none where it has none, or nobody can say. Ends when told to. */
export type LookUp = (hostname: string, end: AbortSignal) => Promise<readonly string[]>;

/**
 * Asks DNS itself. The look-up of the operating system would read the files of this machine, and hold one of the process's four threads for as long
 * as a slow server of somebody else likes, with all compression and files behind it.
 *
 * @param servers - those that the machine is set to, if absent.
 */
export const lookUpByDns =
  (servers?: readonly string[]): LookUp =>
  async (hostname, end) => {
    const resolver = new dns.Resolver({ timeout: 3_000, tries: 2 });
    if (servers) resolver.setServers(servers);
    const cancel = () => resolver.cancel();
    end.addEventListener('abort', cancel, { once: true });
    try {
      const found = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
      return found.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    } finally {
      end.removeEventListener('abort', cancel);
    }
  };
