/**
 * Hosts that a stage names besides those of the internet, each an origin: `https://hooks.partner.example:8443`, or with any port, `http://localhost:*`.
 * They may have private addresses; loopback only where loopback is named; metadata and other special addresses never.
 */
export type FurtherHosts = readonly string[];

const host = /^https?:\/\/(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(?:\d{1,5}|\*))?$/;

/** Whether a text names hosts as `FurtherHosts` has them: lower case, as a URL says them, without the port that its scheme has anyway. */
export const isFurtherHost = (text: string): boolean => {
  if (!host.test(text)) return false;
  const one = text.replace(/:\*$/, '');
  return URL.canParse(one) && new URL(one).origin === one;
};

/**
 * What `WEBHOOK_HOSTS` says: a JSON list; none if it is absent.
 *
 * @throws Error where it is no such list, so that a wrong deployment fails before anything is sent.
 */
export const furtherHostsFrom = (text: string | undefined): FurtherHosts => {
  if (!text) return [];
  const hosts: unknown = JSON.parse(text);
  if (Array.isArray(hosts) && hosts.every((each) => typeof each === 'string' && isFurtherHost(each))) {
    return hosts as string[];
  }
  throw new Error('WEBHOOK_HOSTS is a JSON list of origins, such as ["https://hooks.partner.example:8443"]');
};
