/** A header that whoever subscribes wants to be sent. */
export interface CustomHeader {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
}

/** Most headers of a subscription, and the letters of all of them. */
const [most, longest] = [20, 4_096];

/** What the transport says, what Concord says, and what a proxy between would obey. */
const ours =
  /^(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|keep-alive|accept-encoding|user-agent|date|via|forwarded|x-forwarded-.*|x-real-ip|proxy-.*|webhook-.*|http2-settings|max-forwards|range|if-.*|x-http-method.*|x-method-override)$/;

/**
 * Reads the headers of a Subscription, each `Name: value` as `Subscription.channel.header` has them.
 *
 * @returns the headers, or what is wrong, as the end of a sentence about them, without a value: they are secrets.
 * @see https://hl7.org/fhir/R4/subscription-definitions.html#Subscription.channel.header
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-fields
 */
export const customHeadersOf = (lines: readonly string[]): readonly CustomHeader[] | { readonly refused: string } => {
  if (lines.length > most || lines.join('').length > longest)
    return { refused: `are more than ${most} or ${longest} letters` };
  const headers: CustomHeader[] = [];
  for (const line of lines) {
    // No letter outside ASCII, no line end, no NUL: whoever reads lines otherwise than we would find another header.
    const [, name = '', value = ''] =
      /^([\w!#$%&'*+.^`|~-]{1,100}):[ \t]*([\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)$/.exec(line) ?? [];
    if (name === '') return { refused: 'are not all of the form "Name: value", in printable ASCII' };
    const lower = name.toLowerCase();
    if (ours.test(lower)) return { refused: `name ${lower}, which is not theirs to say` };
    if (headers.some((each) => each.name === lower)) return { refused: `name ${lower} twice` };
    headers.push({ name: lower, value });
  }
  return headers;
};
