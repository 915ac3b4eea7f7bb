import { exactRange } from '../decimal-range.ts';
import { splitValue } from '../escape.ts';
import { invalidParameter } from '../refusal.ts';
import type { NearValue } from '../search-query.ts';
import type { Units } from '../units.ts';

/** Where the search gives no distance, it is ours to choose. */
const usualKilometres = '10';

/**
 * Reads `latitude|longitude`, with `|distance` and its unit of length, kilometres if none. https://hl7.org/fhir/R4/location.html#search
 *
 * @throws RecordError `invalid` for what is no place on earth or no distance.
 */
export const parseNear = (name: string, text: string, units: Units | undefined): NearValue => {
  if (!units) throw new Error('A distance is read, and units were not loaded');
  const [latitude, longitude, distance = usualKilometres, unit = 'km', ...further] = splitValue(text, '|');
  const [north, east] = [Number(latitude || Number.NaN), Number(longitude || Number.NaN)];
  const length = exactRange(distance);
  const toKilometres = units.conversion(unit || 'km', 'km');
  if (
    !(Math.abs(north) <= 90 && Math.abs(east) <= 180) ||
    !length ||
    toKilometres?.perMole !== 0 ||
    further.length > 0
  ) {
    throw invalidParameter(name, 'A place is latitude|longitude|distance|unit, such as 42.25|-83.69|11.2|km');
  }
  return { type: 'near', latitude: north, longitude: east, kilometres: units.convertRange(length, toKilometres).value };
};
