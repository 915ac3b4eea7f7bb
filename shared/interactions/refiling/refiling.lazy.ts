// A record in the wrong chart: some times a month.
export { refile } from './refile.ts';
