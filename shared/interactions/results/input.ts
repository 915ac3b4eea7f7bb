/** What `Task/{id}/$acknowledge` takes: each critical value as it was read back, by whom and when; the caller and now if absent. */
export const acknowledgeInput = {
  readBack: { type: 'string', min: 1, many: true },
  by: { type: 'Reference' },
  time: { type: 'dateTime' },
} as const;
