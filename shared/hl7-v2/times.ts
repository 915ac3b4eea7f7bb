import { aheadAt, clockSpans, whenShown } from '../scheduling/wall-clock.ts';
import type { Repetition } from './message.ts';
import { Unfit } from './unfit.ts';

const form = /^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,4}))?)?)?)?)?)?([+-]\d{4})?$/;

interface Parts {
  readonly year: string;
  readonly month?: string | undefined;
  readonly day?: string | undefined;
  readonly hour?: string | undefined;
  readonly minute: string;
  readonly second: string;
  readonly fraction?: string | undefined;
  readonly offset?: string | undefined;
}

const partsOf = (text: string, at: string): Parts => {
  const [, year = '', month, day, hour, minute = '00', second = '00', fraction, offset] = form.exec(text) ?? [];
  const whole = `${year}-${month ?? '01'}-${day ?? '01'}T${hour ?? '00'}:${minute}:${second}Z`;
  // The 24th hour, which JavaScript reads, is none of FHIR's.
  const exists =
    year !== '' && hour !== '24' && !Number.isNaN(Date.parse(whole)) && isDay(year, month ?? '01', day ?? '01');
  const isOffset = offset === undefined || (Number(offset.slice(1, 3)) <= 14 && Number(offset.slice(3)) < 60);
  if (!exists || year === '0000' || !isOffset) throw new Unfit('field-form', 'This is no time', at);
  return { year, month, day, hour, minute, second, fraction, offset };
};

/** JavaScript takes the 30th of February for a day in March. */
const isDay = (year: string, month: string, day: string): boolean =>
  new Date(`${year}-${month}-${day}T00:00:00Z`).toISOString().startsWith(`${year}-${month}-${day}`);

const day = 86_400_000;

/** `+01:00` of a zone's clock when it shows this. An hour that it shows twice is the first of the two; one that it leaves out is read as if it had not been put forward yet. */
const offsetShown = (zone: string, wall: number): string => {
  const clock = clockSpans(zone, { from: wall - day, to: wall + day });
  const [first] = whenShown({ from: wall, to: wall + 1 }, clock);
  const ahead = first ? wall - first.from : aheadAt(zone, wall - day);
  const minutes = Math.abs(ahead) / 60_000;
  const two = (number: number) => String(Math.floor(number)).padStart(2, '0');
  return ahead === 0 ? 'Z' : `${ahead < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
};

/** FHIR's `dateTime`, as exact as it was sent: a time without a zone is by the sender's clock. Without minutes it is the full hour, for FHIR knows no hour alone. */
export const dateTimeOf = (text: string, at: string, zone: string): string => {
  const { year, month, day, hour, minute, second, fraction, offset } = partsOf(text, at);
  const date = [year, month, day].filter((part) => part !== undefined).join('-');
  if (hour === undefined) return date;
  const zoned =
    offset === undefined
      ? offsetShown(zone, Date.parse(`${date}T${hour}:${minute}:${second}Z`))
      : offset === '+0000' || offset === '-0000'
        ? 'Z'
        : `${offset.slice(0, 3)}:${offset.slice(3)}`;
  return `${date}T${hour}:${minute}:${second}${fraction === undefined ? '' : `.${fraction.padEnd(3, '0').slice(0, 3)}`}${zoned}`;
};

/** FHIR's `date`: what is said of the hour is left out. */
export const dateOf = (text: string, at: string): string => {
  const { year, month, day } = partsOf(text, at);
  return [year, month, day].filter((part) => part !== undefined).join('-');
};

/** Milliseconds since 1970, of the first instant that is meant. */
export const instantOf = (text: string, at: string, zone: string): number => {
  const { year, month = '01', day = '01', hour = '00', minute, second, fraction, offset } = partsOf(text, at);
  const whole = `${year}${month}${day}${hour}${minute}${second}${fraction === undefined ? '' : `.${fraction}`}${offset ?? ''}`;
  return Date.parse(dateTimeOf(whole, at, zone));
};

/** As `dateTimeOf`, of a field's first component; undefined if that is empty. */
export const dateTimeIn = (repetition: Repetition, zone: string, component = 1): string | undefined => {
  const text = repetition.part(component);
  return text === '' ? undefined : dateTimeOf(text, repetition.at, zone);
};
