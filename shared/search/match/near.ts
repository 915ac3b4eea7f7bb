import type { SearchValue } from '../../fhir/search-parameter.ts';
import type { NearValue } from '../search-query.ts';

const earthRadiusKilometres = 6_371.0088;

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Whether a Location's position lies within the distance, along a great circle. https://hl7.org/fhir/R4/location.html#search */
export const matchesNear = ({ latitude, longitude, kilometres }: NearValue, { value }: SearchValue): boolean => {
  const position = value as Partial<fhir4.LocationPosition>;
  if (position.latitude === undefined || position.longitude === undefined) return false;
  const [north, east] = [radians(position.latitude), radians(position.longitude)];
  const haversine = (angle: number): number => Math.sin(angle / 2) ** 2;
  const part =
    haversine(north - radians(latitude)) +
    Math.cos(north) * Math.cos(radians(latitude)) * haversine(east - radians(longitude));
  return 2 * earthRadiusKilometres * Math.asin(Math.sqrt(Math.min(1, part))) <= kilometres;
};
