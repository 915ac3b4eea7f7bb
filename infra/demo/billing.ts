import { date, dateTime, dayMs } from './calendar.ts';
import { type Chart, named, type Visit } from './chart.ts';
import { hl7, usDollars } from './concepts.ts';

/** Insurance of a chart. https://hl7.org/fhir/R4/coverage.html */
export const addCoverage = (chart: Chart, from: number): fhir4.Reference => {
  const payer = chart.random.pick(['Example Mutual', 'Harbor Health Plan', 'Commonwealth Public Plan']);
  const reference = chart.add({
    resourceType: 'Coverage',
    identifier: [
      { system: 'https://insurance.example/member-number', value: `M${chart.random.whole(10_000_000, 99_999_999)}` },
    ],
    status: 'active',
    type: hl7('v3-ActCode', 'EHCPOL', 'extended healthcare'),
    subscriber: named(chart.subject),
    beneficiary: named(chart.subject),
    relationship: hl7('subscriber-relationship', 'self', 'Self'),
    period: { start: date(from) },
    payor: [{ display: payer }],
  });
  return { reference, display: payer };
};

const period = ({ start, end }: Visit): fhir4.Period => ({ start: dateTime(start), end: dateTime(end) });

/** What a pharmacy asks for a medicine. https://hl7.org/fhir/R4/claim.html */
export const addPharmacyClaim = (
  chart: Chart,
  visit: Visit,
  coverage: fhir4.Reference,
  prescription: string,
  medicine: fhir4.CodeableConcept,
): void => {
  const price = usDollars(chart.random.between(6, 90));
  chart.add({
    ...claim(chart, visit, coverage, 'pharmacy', 'Pharmacy'),
    prescription: { reference: prescription },
    item: [
      {
        sequence: 1,
        productOrService: medicine,
        encounter: [visit.encounter],
        quantity: { value: 1 },
        unitPrice: price,
        net: price,
      },
    ],
    total: price,
  });
};

const claim = (chart: Chart, visit: Visit, coverage: fhir4.Reference, type: string, display: string): fhir4.Claim => ({
  resourceType: 'Claim',
  status: 'active',
  type: hl7('claim-type', type, display),
  use: 'claim',
  patient: named(chart.subject),
  billablePeriod: period(visit),
  created: dateTime(visit.end),
  provider: named(chart.organization),
  priority: hl7('processpriority', 'normal', 'Normal'),
  payee: { type: hl7('payeetype', 'provider', 'Provider') },
  insurance: [{ sequence: 1, focal: true, coverage }],
});

/** What the organisation asks for a visit, and what the insurer answers a few days later. https://hl7.org/fhir/R4/explanationofbenefit.html */
export const addVisitClaim = (
  chart: Chart,
  visit: Visit,
  coverage: fhir4.Reference,
  diagnosis: string | undefined,
): void => {
  const type: [code: string, display: string] =
    visit.kind === 'inpatient' ? ['institutional', 'Institutional'] : ['professional', 'Professional'];
  const total = usDollars(visit.services.reduce((sum, { price }) => sum + price, 0));
  const diagnoses =
    diagnosis === undefined ? {} : { diagnosis: [{ sequence: 1, diagnosisReference: { reference: diagnosis } }] };
  const items = visit.services.map(({ concept, price }, index) => ({
    sequence: index + 1,
    ...(diagnosis === undefined ? {} : { diagnosisSequence: [1] }),
    productOrService: concept,
    servicedPeriod: period(visit),
    encounter: [visit.encounter],
    quantity: { value: 1 },
    unitPrice: usDollars(price),
    net: usDollars(price),
  }));
  const reference = chart.add({
    ...claim(chart, visit, coverage, ...type),
    ...diagnoses,
    item: items,
    total,
  });
  const decided = visit.end + chart.random.whole(1, 6) * dayMs;
  const paid = chart.random.pick([0.75, 0.8, 0.9]);
  chart.add({
    resourceType: 'ExplanationOfBenefit',
    identifier: [
      { system: 'https://insurance.example/claim-number', value: `C${chart.random.whole(100_000_000, 999_999_999)}` },
    ],
    status: 'active',
    type: hl7('claim-type', ...type),
    use: 'claim',
    patient: named(chart.subject),
    billablePeriod: period(visit),
    created: dateTime(decided),
    insurer: { display: coverage.display ?? '' },
    provider: named(chart.organization),
    claim: { reference },
    outcome: 'complete',
    disposition: 'Settled under the terms of the policy',
    careTeam: [
      {
        sequence: 1,
        provider: named(chart.staff.physician),
        responsible: true,
        role: hl7('claimcareteamrole', 'primary', 'Primary provider'),
      },
      {
        sequence: 2,
        provider: named(chart.staff.nurse),
        role: hl7('claimcareteamrole', 'assist', 'Assisting Provider'),
      },
    ],
    ...diagnoses,
    insurance: [{ focal: true, coverage }],
    item: items.map((item, index) => ({
      ...item,
      careTeamSequence: [1],
      category: hl7('ex-benefitcategory', '1', 'Medical Care'),
      locationCodeableConcept: hl7('ex-serviceplace', visit.kind === 'inpatient' ? '21' : '11'),
      adjudication: adjudication(visit.services[index]?.price ?? 0, paid),
    })),
    total: [
      { category: hl7('adjudication', 'submitted', 'Submitted Amount'), amount: total },
      { category: hl7('adjudication', 'benefit', 'Benefit Amount'), amount: usDollars((total.value ?? 0) * paid) },
    ],
    payment: {
      type: hl7('ex-paymenttype', 'complete', 'Complete'),
      date: date(decided),
      amount: usDollars((total.value ?? 0) * paid),
    },
    benefitPeriod: { start: date(visit.start), end: date(decided) },
  });
};

const adjudication = (price: number, paid: number): fhir4.ExplanationOfBenefitItemAdjudication[] => {
  const amounts: [code: string, display: string, amount: number][] = [
    ['submitted', 'Submitted Amount', price],
    ['copay', 'CoPay', price * (1 - paid)],
    ['deductible', 'Deductible', 0],
    ['benefit', 'Benefit Amount', price * paid],
  ];
  return amounts.map(([code, display, amount]) => ({
    category: hl7('adjudication', code, display),
    amount: usDollars(amount),
  }));
};
