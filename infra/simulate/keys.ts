import type { Load } from './load.ts';

/** Partition keys of one kind: the hottest of them, and what a second asks of it. */
export interface HotKey {
  /** As docs/store.md writes it. */
  readonly key: string;
  readonly what: string;
  readonly writes: number;
  readonly reads: number;
  /** Whether rows come at one end, so that a partition that is split for heat has all of it in one half. */
  readonly atOneEnd: boolean;
  /** What who waits for it feels: a request is refused, or something behind requests falls behind. */
  readonly waits: 'requests' | 'what is behind';
}

/** What a second asks of the hottest key of each kind that more than one chart has a part in, and of the hottest chart. */
export const hotKeysOf = (load: Load): readonly HotKey[] => {
  const { largest } = load;
  const key = (
    name: string,
    what: string,
    units: { readonly writes?: number; readonly reads?: number },
    waits: HotKey['waits'],
    atOneEnd = false,
  ): HotKey => ({ key: name, what, writes: units.writes ?? 0, reads: units.reads ?? 0, atOneEnd, waits });
  return [
    key('A#<organisation>#<day>', 'access log by day', { writes: largest.requests }, 'what is behind', true),
    key(
      'F#<organisation>#0…3',
      'feed',
      { writes: Math.min(largest.changes, load.invocationsOfConsumer) / 4 },
      'what is behind',
      true,
    ),
    key(
      'Q#<organisation>',
      'order of telling',
      { writes: largest.tellings, reads: largest.tellings },
      'what is behind',
      true,
    ),
    key(
      'X#<organisation>#Appointment#date#…',
      'appointments by time',
      { writes: 2 * largest.appointments },
      'requests',
    ),
    key(
      'X#<organisation>#Patient#name#<three letters>',
      'names',
      { reads: largest.names, writes: 2 * largest.newPatients },
      'requests',
    ),
    key('X#<organisation>#Patient#_all#0', 'list of patients', { writes: 2 * largest.newPatients }, 'requests'),
    key(
      'C#<organisation>',
      'entry of the directory, checked by writers',
      { writes: 2 * load.directoryChecks },
      'requests',
    ),
    key('!listeners', 'who listens', { reads: load.readsOfListeners }, 'what is behind'),
    key('!denied', 'who is denied', { reads: load.readsOfDenied }, 'requests'),
    key('A~<day>#0…7', 'logs of a day', { writes: load.invocationsOfConsumer / 8 }, 'what is behind'),
    key('C#<chart>', 'hottest chart', { reads: load.hottestChart.reads, writes: load.hottestChart.writes }, 'requests'),
    key('A#<chart>', 'access log of the hottest chart', { writes: load.hottestChart.log }, 'requests', true),
  ];
};
