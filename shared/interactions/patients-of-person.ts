import { linkedWith } from '../store/chart-links.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';

/**
 * The Patient who heads a chart, as far as there is one, and the other records of the person where these were merged. One call beside the read of the first, and one more for others.
 *
 * @param own - the first, if it was read already.
 */
export const patientsOfPerson = async (
  { store }: Pick<RequestContext, 'store'>,
  chart: string,
  own?: StoredRecord,
): Promise<readonly StoredRecord[]> => {
  const address = (of: string) => ({ type: 'Patient', chart: of, place: '' });
  const [first, linked] = await Promise.all([own ?? store.read(address(chart)), linkedWith(store, chart)]);
  const others = linked.filter((each) => each.chart !== chart).map((each) => address(each.chart));
  const all = [...(first ? [first] : []), ...(others.length === 0 ? [] : await store.readMany(others))];
  return all.filter(({ resource }) => resource !== undefined);
};
