import { mix } from '../cost/assumptions.ts';

/** What a network asks of its Concord. Each figure is an assumption, which the page shows. */
export interface World {
  readonly patients: number;
  readonly organizations: number;
  /** How unlike organisations are in size: the n-th largest has a share as n to the power of minus this. */
  readonly inequality: number;
  /** Visits of one patient a year, of every kind. */
  readonly visitsAYear: number;
  readonly workingDaysAYear: number;
  /** Of a working day's visits, in its busiest hour. */
  readonly busiestHour: number;
  /** Requests of one visit, by everybody who has to do with it: front desk, nurse, physician, laboratory, the patient. */
  readonly requestsOfVisit: number;
  /** How much more than its mean the busiest hour's first minutes ask. */
  readonly rush: number;
  /** Of the busiest hour's mean, around the clock: interfaces, monitors, people who are ill at night. */
  readonly aroundTheClock: number;
  /** People of staff and patients who sign in within a month. */
  readonly staff: number;
  readonly patientsSigningIn: number;
  /** People of staff who begin to work in the busiest hour and the half before it. */
  readonly staffBeginning: number;
  /** Of them, who sign in by their own organisation. */
  readonly federated: number;
  /** Records of a chart, in the mean. */
  readonly recordsOfChart: number;
  /** Of changed records, those of which an appointment is one. */
  readonly appointmentsOfChanges: number;
  /** New patients a year, for each patient there is. */
  readonly newPatients: number;
  /** Of names sought, that begin with the commonest three letters. */
  readonly commonestName: number;
  /** Requests a second to the chart that is looked at most: a resuscitation, with its monitors and everybody around. */
  readonly hottestChart: number;
  /** Consents that open a chart to whoever it may be, a second, in the busiest hour. */
  readonly openings: number;
  /** Organisations of the network that want to be told of changes. */
  readonly listeners: number;
  /** Rows of those whose tokens are denied: who left in the last hours, and applications. */
  readonly denied: number;
}

export const world: World = {
  patients: 10_000_000,
  organizations: 5_000,
  inequality: 0.7,
  visitsAYear: 5,
  workingDaysAYear: 250,
  busiestHour: 0.14,
  requestsOfVisit: 300,
  rush: 1.4,
  aroundTheClock: 0.15,
  staff: 300_000,
  patientsSigningIn: 1_500_000,
  staffBeginning: 200_000,
  federated: 0.6,
  recordsOfChart: 600,
  appointmentsOfChanges: 0.1,
  newPatients: 0.03,
  commonestName: 0.04,
  hottestChart: 60,
  openings: 0.5,
  listeners: 5_000,
  denied: 2_000,
};

/** What is between a request and the table, in figures of the code and of measurements elsewhere. */
export const engine = {
  /** Bytes of the table a partition has at most, before it is split. */
  bytesOfPartition: 10e9,
  /** Bytes stored for one record, all of it included: docs/budgets.md. */
  bytesOfRecord: 489,
  /** Seconds of a call to the table, from a function near it. */
  secondsOfCall: 0.005,
  /** Calls to the table that follow one another to tell one organisation of a batch: a Query, a put. */
  callsOfTelling: 2,
  /** Records of the stream that one function files in the access log at once. */
  filedAtOnce: 16,
  /** Times a second that Lambda asks a shard for more. */
  pollsOfShard: 4,
  /** Of requests, that go to functions for which the stage reserves executions. */
  reservedShare: 0.7,
  /** Consumers of the stream: each takes one execution a shard at most. */
  consumers: 2,
  /** Seconds between two looks of a process at who is denied. */
  secondsBetweenLooksAtDenied: 30,
  /** Bytes of a row of who listens, or who is denied. */
  bytesOfSmallRow: 80,
  /** Seconds for which a process trusts that an entry of the directory is there. */
  secondsOfTrust: 60,
} as const;

/** Requests of the mix that write, and records that a mean request changes. */
export const changesOfRequest = mix.reduce((sum, { share, records }) => sum + share * records, 0);
