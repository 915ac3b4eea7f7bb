/**
 * Size of an item in bytes as DynamoDB counts it for its limits and its units: names and values of all attributes. On the bill for
 * storage stand 100 bytes more an item.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export const itemSize = (item: Readonly<Record<string, unknown>>): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueSize(value), 0);

const valueSize = (value: unknown): number => {
  if (value === null || typeof value === 'boolean') return 1;
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return numberSize(value);
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof Set) return [...value].reduce((sum: number, member) => sum + valueSize(member), 0);
  // A list or map has 3 bytes of its own, and each of its members 1.
  if (Array.isArray(value)) return value.reduce((sum: number, member) => sum + 1 + valueSize(member), 3);
  if (typeof value === 'object') {
    const members = Object.entries(value);
    return members.reduce((sum, [name, member]) => sum + 1 + Buffer.byteLength(name) + valueSize(member), 3);
  }
  throw new Error(`A ${typeof value} is no value of DynamoDB`);
};

/** Two significant digits a byte, and one byte more; one more again below zero. Zeros at either end do not count. */
const numberSize = (value: number): number => {
  const [digits = ''] = Math.abs(value).toExponential().split('e');
  const significant = digits.replace('.', '').replace(/0+$/, '').length;
  return Math.ceil(significant / 2) + 1 + (value < 0 ? 1 : 0);
};
