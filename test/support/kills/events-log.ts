/** Which versions the event bus was told of, as `Type/id/version`, and the position in its log. */
export const eventsAfter = async (address: string, position: number): Promise<{ versions: string[]; last: number }> => {
  const versions: string[] = [];
  let last = position;
  for (;;) {
    const response = await fetch(`${address}?after=${last}`);
    const page = (await response.json()) as {
      events: {
        event: { 'detail-type': string; detail: { recordType: string; recordId: string; version: number } };
      }[];
      last: number;
    };
    // What became of appointments is told beside it.
    for (const { event } of page.events.filter(({ event: each }) => each['detail-type'] === 'RecordChanged.v1'))
      versions.push(`${event.detail.recordType}/${event.detail.recordId}/${event.detail.version}`);
    if (page.events.length === 0) return { versions, last };
    last = page.last;
  }
};
