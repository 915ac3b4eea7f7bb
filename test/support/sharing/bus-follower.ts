import type { Moments } from './clock.ts';
import type { Sighting, Witness } from './laws.ts';
import type { Change } from './model.ts';

/** An event as a follower of the local bus is given it. */
export interface SeenEvent {
  readonly 'detail-type': string;
  readonly detail: Readonly<Record<string, unknown>>;
}

interface RecordChanged {
  readonly eventId: string;
  readonly recordType: string;
  readonly recordId: string;
  readonly version: number;
  readonly change: Change['kind'];
  readonly recipient: string;
}

/** That an organisation was told what a change of Consents opens or closes to it. */
export interface ConsentNotice {
  readonly eventId: string;
  readonly patientId: string;
  readonly change: 'gained' | 'lost' | 'changed';
  readonly recipient: string;
  /** When it was seen. */
  readonly to: number;
}

/** What each organisation is told of on the bus. What stood there before an event was seen is a moment at which it can have been decided. */
export class BusWitnesses {
  /** Everything that came, for who looks for what must not stand in it. */
  readonly texts: string[] = [];
  /** What was told of changed Consents, each once, in the order in which it came. */
  readonly notices: ConsentNotice[] = [];
  readonly #moments: Moments;
  readonly #seen = new Map<string, Sighting[]>();

  constructor(moments: Moments) {
    this.#moments = moments;
  }

  take(events: readonly SeenEvent[]): void {
    const to = this.#moments();
    for (const event of events) {
      this.texts.push(JSON.stringify(event));
      if (event['detail-type'] === 'ConsentChanged.v1')
        this.#notice({ ...(event.detail as unknown as ConsentNotice), to });
      if (event['detail-type'] !== 'RecordChanged.v1') continue;
      const { eventId, recordType, recordId, version, change, recipient } = event.detail as unknown as RecordChanged;
      const seen = this.#seen.get(recipient) ?? [];
      seen.push({ name: `${recordType}/${recordId}`, version, kind: change, id: eventId, from: 0, to });
      this.#seen.set(recipient, seen);
    }
  }

  #notice(notice: ConsentNotice): void {
    if (!this.notices.some(({ eventId }) => eventId === notice.eventId)) this.notices.push(notice);
  }

  /** What a recipient was told of. On the bus, versions may change places. */
  of(recipient: string): Witness {
    const seen = this.#seen.get(recipient) ?? [];
    return { name: `bus to ${recipient}`, recipients: [recipient], ordered: false, seen };
  }

  /** Organisations that were told of something; `*` stands for all of the network. */
  get recipients(): string[] {
    return [...this.#seen.keys()];
  }
}
