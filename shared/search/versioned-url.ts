/**
 * Parts a reference from its version: `…/_history/2` of a record, `…|2` of a canonical.
 * https://hl7.org/fhir/R4/search.html#versions
 */
export const splitVersion = (text: string): [url: string, version: string | undefined] => {
  const [, url, version] = /^(.+?)(?:\/_history\/|\|)([^/|]+)$/.exec(text) ?? [];
  return url === undefined ? [text, undefined] : [url, version];
};
