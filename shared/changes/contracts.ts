import { appointmentChangedType, appointmentChangedV1 } from './appointment-changed.ts';
import { breakGlassOpenedType, breakGlassOpenedV1 } from './break-glass-opened.ts';
import { consentChangedType, consentChangedV1 } from './consent-changed.ts';
import { recordChangedType, recordChangedV1 } from './record-changed.ts';
import { reminderDueType, reminderDueV1 } from './reminder-due.ts';

/** What the `detail` of each event is that Concord sends, by `detail-type`: ADD AN EVENT HERE, in docs/events.md, and in events/. */
export const contracts = {
  [recordChangedType]: recordChangedV1,
  [appointmentChangedType]: appointmentChangedV1,
  [consentChangedType]: consentChangedV1,
  [breakGlassOpenedType]: breakGlassOpenedV1,
  [reminderDueType]: reminderDueV1,
};
