import type { Resource } from '../../fhir/resource.ts';
import { standingAt } from '../../prescriptions/standing.ts';
import { type NotReckoned, type Supply, supplyOf } from '../../prescriptions/supply.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import { loadUnits } from '../../search/units.ts';
import type { Interaction } from '../context.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { notFound, requireReadable, requireTypeAccess } from '../require-access.ts';
import { dispensesOf, ofOrder, ordersIn } from './orders-used.ts';

/** In these words for everybody. */
const notChecked: Readonly<Record<NotReckoned | 'not-shown', string>> = {
  'repeats-not-told': 'Not checked: the order does not tell how often it may be repeated.',
  'quantity-not-told': 'Not checked: the order does not tell how much is supplied at a time.',
  'quantity-not-comparable':
    'Not checked: the quantities that were supplied cannot be compared with that of the order.',
  'duration-not-told': 'Not checked: how long a supply lasts is not told, or not in units that can be compared.',
  'date-not-told': 'Not checked: when a supply was handed over is not told.',
  'validity-not-told': 'Not checked: the order does not tell until when it may be filled.',
  'not-shown': 'Dispenses that are elsewhere, or not for the reader of this, were not looked at.',
};

const day = (at: number): string => new Date(at).toISOString().slice(0, 10);

/**
 * `GET MedicationRequest/{id}/$dispenses`: what of an order was supplied, what is left of it, and from when on, by the dispenses that the caller may see. A read of the order beside one Query a started megabyte of the chart's dispenses, then their trace.
 *
 * @throws RecordError `forbidden`, `not-found`, `deleted`.
 */
export const dispensesOfOrder: Interaction = async (context, { id }) => {
  const { audit, recordType, sharing, now } = context;
  requireTypeAccess(context, 'r');
  requireTypeAccess({ ...context, recordType: factsOfType('MedicationDispense') }, 's');
  readInput(context, {});
  const address = await locate(context, recordType.name, id);
  if (!address) throw notFound(context);
  const name = `${recordType.name}/${id}`;
  const query = `${name}/$dispenses`;
  const [found, records] = await Promise.all([
    audit.traced(
      { interaction: 'operation', chart: address.chart, what: [name], query },
      () => sharing.read(address),
      (record) => void requireReadable(context, record),
    ),
    dispensesOf(context, address.chart),
  ]);
  const order = requireReadable(context, found);
  const dispenses = records.filter(({ resource }) => ordersIn(context, resource).includes(order.id));
  const what = dispenses.map((record) => `MedicationDispense/${record.id}`);
  if (what.length > 0) await audit.record([{ interaction: 'operation', chart: address.chart, what, query }]);
  const supply = supplyOf(order.resource as Resource, ofOrder(context, dispenses, order.id), await loadUnits());
  const parameter: fhir4.ParametersParameter[] = [
    { name: 'standing', valueCode: standingAt([order], now) },
    ...figuresOf(supply),
    ...what.map((reference) => ({ name: 'dispense', valueReference: { reference } })),
    ...[...supply.notReckoned, 'not-shown' as const].map((code) => ({
      name: 'notChecked',
      valueCoding: { system: 'https://concord.example/fhir/CodeSystem/order-use', code, display: notChecked[code] },
    })),
  ];
  return { statusCode: 200, resource: { resourceType: 'Parameters', parameter } };
};

const figuresOf = (supply: Supply): fhir4.ParametersParameter[] => {
  const { fills, underWay, allowed, left, supplied, total, unit, lastsUntil, validFrom, validTo } = supply;
  const figure = (name: string, value: number | undefined): fhir4.ParametersParameter[] =>
    value === undefined ? [] : [{ name, valueInteger: value }];
  const quantity = (name: string, value: number | undefined): fhir4.ParametersParameter[] =>
    value === undefined || !unit ? [] : [{ name, valueQuantity: { ...unit, value: Number(value.toPrecision(12)) } }];
  const remains = total === undefined || supplied === undefined ? undefined : Math.max(0, total - supplied);
  const period = {
    ...(validFrom === undefined ? {} : { start: day(validFrom) }),
    ...(validTo === undefined ? {} : { end: day(validTo - 1) }),
  };
  return [
    ...figure('allowed', allowed),
    ...figure('fills', fills),
    ...figure('underWay', underWay),
    ...figure('left', left),
    ...quantity('supplied', supplied),
    ...quantity('total', total),
    ...quantity('quantityLeft', remains),
    ...(lastsUntil === undefined ? [] : [{ name: 'earliestNext', valueDate: day(lastsUntil) }]),
    ...(Object.keys(period).length === 0 ? [] : [{ name: 'valid', valuePeriod: period }]),
  ];
};
