import { describe, expect, it } from 'vitest';
import { ageIn, byReference, codeOf, ofType, patientOf, resourcesOf } from '../support/chart-reading.ts';
import { syntheticChart } from '../support/synthetic-chart.ts';

// What a clinician would stumble over.

const now = Date.UTC(2025, 0, 15, 12);
const charts = Array.from({ length: 80 }, (_, index) => syntheticChart(index + 1, { now }));
const dayMs = 86_400_000;

/** Weekday from 0 for Sunday, and the hour with its minutes as a part of it. */
const when = (time = ''): { weekday: number; hour: number } => {
  const date = new Date(time);
  return { weekday: date.getUTCDay(), hour: date.getUTCHours() + date.getUTCMinutes() / 60 };
};

const contentOf = ({ content }: fhir4.DocumentReference): string =>
  Buffer.from(content[0]?.attachment.data ?? '', 'base64').toString('utf8');

describe('visits', () => {
  it('begin and, where nobody stays longer, end in working hours of a working day', () => {
    const visits = charts.flatMap((chart) => ofType(chart, 'Encounter'));
    const begun = visits.map(({ period }) => when(period?.start));
    const ended = visits.filter((visit) => visit.class.code === 'AMB').map(({ period }) => when(period?.end));

    expect(visits.length).toBeGreaterThan(1_000);
    expect(begun.filter(({ weekday, hour }) => weekday === 0 || weekday === 6 || hour < 8 || hour > 17)).toEqual([]);
    expect(ended.filter(({ hour }) => hour > 17)).toEqual([]);
  });

  it('are many in the first two years of a life', () => {
    const small = charts.filter(
      (chart) =>
        ageIn(chart, ofType(chart, 'Encounter')[0]?.period?.start) < 0.2 &&
        ageIn(chart, new Date(now).toISOString()) > 2,
    );
    const numbers = small.map(
      (chart) => ofType(chart, 'Encounter').filter(({ period }) => ageIn(chart, period?.start) < 2).length,
    );

    expect(small.length).toBeGreaterThan(1);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(7);
  });
});

describe('illnesses', () => {
  it('take out an appendix once, and bring no throat infection five times', () => {
    const most = (code: string) =>
      Math.max(
        ...charts.map(
          (chart) => ofType(chart, 'Condition').filter((condition) => codeOf(condition.code) === code).length,
        ),
      );

    expect(most('85189001')).toBe(1);
    expect(most('233604007')).toBe(1);
    expect(most('43878008')).toBe(2);
  });

  it('make an allergy that nearly killed more than a mild one', () => {
    const allergies = charts.flatMap((chart) => ofType(chart, 'AllergyIntolerance'));
    const anaphylaxis = allergies.filter(({ reaction }) => codeOf(reaction?.[0]?.manifestation[0]) === '39579001');
    const mites = allergies.filter(({ code }) => codeOf(code) === '232350006');

    expect(anaphylaxis.length).toBeGreaterThan(0);
    expect(anaphylaxis.filter((one) => one.criticality !== 'high' || one.reaction?.[0]?.severity !== 'severe')).toEqual(
      [],
    );
    expect(mites.length).toBeGreaterThan(0);
    expect(mites.filter(({ criticality }) => criticality !== 'low')).toEqual([]);
  });
});

describe('results', () => {
  const values = (chart: fhir4.Bundle, { result = [] }: fhir4.DiagnosticReport): ReadonlyMap<string, number> => {
    const known = byReference(chart);
    return new Map(
      result.map(({ reference = '' }) => {
        const { code, valueQuantity } = known.get(reference) as fhir4.Observation;
        return [codeOf(code) ?? '', valueQuantity?.value ?? Number.NaN];
      }),
    );
  };
  const panelsOf = (code: string) =>
    charts.flatMap((chart) =>
      ofType(chart, 'DiagnosticReport')
        .filter((report) => codeOf(report.code) === code)
        .map((report) => (analyte: string) => values(chart, report).get(analyte) ?? Number.NaN),
    );

  it('of a blood count agree with each other', () => {
    const counts = panelsOf('58410-2');

    expect(counts.length).toBeGreaterThan(50);
    for (const of of counts) {
      const [hemoglobin, hematocrit, cells] = [of('718-7'), of('4544-3'), of('789-8')];
      expect(Math.abs((hematocrit / cells) * 10 - of('787-2'))).toBeLessThan(0.5);
      expect(Math.abs((hemoglobin / cells) * 10 - of('785-6'))).toBeLessThan(0.5);
      expect(Math.abs((hemoglobin / hematocrit) * 100 - of('786-4'))).toBeLessThan(0.5);
    }
  });

  it('of a lipid panel add up', () => {
    const lipids = panelsOf('57698-3');

    expect(lipids.length).toBeGreaterThan(50);
    for (const of of lipids) {
      expect(Math.abs(of('18262-6') + of('2085-9') + of('2571-8') / 5 - of('2093-3'))).toBeLessThan(1);
    }
  });

  it('answer an order of the same visit, hours after the blood was taken', () => {
    for (const chart of charts) {
      const known = byReference(chart);
      const reports = ofType(chart, 'DiagnosticReport').filter(({ result }) => result !== undefined);
      const orders = reports.map(({ basedOn }) => known.get(basedOn?.[0]?.reference ?? '') as fhir4.ServiceRequest);

      reports.forEach((report, index) => {
        const order = orders[index];
        expect(order).toMatchObject({ resourceType: 'ServiceRequest', status: 'completed', code: report.code });
        expect(order?.encounter).toEqual(report.encounter);
        const hours = (Date.parse(report.issued ?? '') - Date.parse(report.effectiveDateTime ?? '')) / 3_600_000;
        expect(hours).toBeGreaterThan(1);
        expect(hours).toBeLessThan(24);
      });
      expect(new Set(orders).size).toBe(ofType(chart, 'ServiceRequest').length);
    }
  });

  it('show a blood pressure of a child in a child', () => {
    const pressures = charts.flatMap((chart) =>
      ofType(chart, 'Observation').flatMap(({ component, effectiveDateTime }) =>
        component !== undefined && ageIn(chart, effectiveDateTime) < 6
          ? [component.map(({ valueQuantity }) => valueQuantity?.value ?? Number.NaN)]
          : [],
      ),
    );

    expect(pressures.length).toBeGreaterThan(10);
    expect(Math.max(...pressures.map(([systolic = 0]) => systolic))).toBeLessThan(112);
    expect(Math.max(...pressures.map(([, diastolic = 0]) => diastolic))).toBeLessThan(72);
  });
});

describe('prescriptions', () => {
  const orders = charts.flatMap((chart) =>
    ofType(chart, 'MedicationRequest').map((order) => ({ chart, order, age: ageIn(chart, order.authoredOn) })),
  );

  it('say how much is taken, how and how often, and when only when needed', () => {
    const doses = orders.map(({ order }) => order.dosageInstruction?.[0]);
    const changing = orders.filter(({ order }) => order.dosageInstruction?.[0]?.doseAndRate === undefined);

    expect(doses.filter((dose) => dose?.route === undefined || dose.timing?.repeat?.frequency === undefined)).toEqual(
      [],
    );
    // Two tablets on the first day, then one: no one number says that.
    expect(new Set(changing.map(({ order }) => codeOf(order.medicationCodeableConcept)))).toEqual(new Set(['308460']));
    for (const dose of doses)
      expect(dose?.asNeededBoolean).toBe(/when (in pain|short of breath)/.test(dose?.text ?? ''));
  });

  it('give no child the tablets of a grown-up', () => {
    const codes = (some: typeof orders) => some.map(({ order }) => codeOf(order.medicationCodeableConcept) ?? '');
    const grown = ['834102', '310965'];

    const ofChildren = codes(orders.filter(({ age }) => age < 12));
    expect(ofChildren.length).toBeGreaterThan(3);
    expect(ofChildren.filter((code) => grown.includes(code))).toEqual([]);
    expect(codes(orders)).toEqual(expect.arrayContaining([...grown, '834061', '198405']));
  });

  it('are current only while their supply can last', () => {
    const current = orders.filter(({ order }) => order.status === 'active');
    const daysLeft = current.map(({ order: { authoredOn = '', dispenseRequest } }) => {
      const days =
        (dispenseRequest?.expectedSupplyDuration?.value ?? 0) * (1 + (dispenseRequest?.numberOfRepeatsAllowed ?? 0));
      return (Date.parse(authoredOn) - now) / dayMs + days;
    });

    expect(current.length).toBeGreaterThan(30);
    expect(Math.min(...daysLeft)).toBeGreaterThan(-91);
  });

  it('are what the note of the visit says, and the other way round', () => {
    const notes = charts.flatMap((chart) =>
      ofType(chart, 'DocumentReference').map((note) => {
        const visit = note.context?.encounter?.[0]?.reference;
        const ordered = ofType(chart, 'MedicationRequest').filter(({ encounter }) => encounter?.reference === visit);
        return {
          text: contentOf(note),
          ordered: ordered.map(({ medicationCodeableConcept }) => medicationCodeableConcept?.text ?? '?'),
        };
      }),
    );

    expect(notes.length).toBeGreaterThan(100);
    expect(notes.filter(({ text, ordered }) => ordered.some((medicine) => !text.includes(medicine)))).toEqual([]);
    expect(notes.filter(({ text, ordered }) => text.includes('Prescribed today') !== ordered.length > 0)).toEqual([]);
  });
});

describe('vaccines', () => {
  const given = charts.map((chart) =>
    ofType(chart, 'Immunization').map(({ vaccineCode, encounter, occurrenceDateTime = '' }) => ({
      code: codeOf(vaccineCode),
      visit: encounter?.reference,
      month: new Date(occurrenceDateTime).getUTCMonth() + 1,
      age: ageIn(chart, occurrenceDateTime),
    })),
  );

  it('against influenza are given for its season', () => {
    const months = given.flat().flatMap(({ code, month }) => (code === '140' ? [month] : []));

    expect(months.length).toBeGreaterThan(100);
    expect([...new Set(months)].sort((a, b) => a - b)).toEqual([1, 2, 3, 9, 10, 11, 12]);
  });

  it('are three at most at one visit of a grown-up', () => {
    const numbers = given.flatMap((ofChart) => {
      const byVisit = Map.groupBy(
        ofChart.filter(({ age }) => age >= 18),
        ({ visit }) => visit,
      );
      return [...byVisit.values()].map(({ length }) => length);
    });

    expect(numbers.length).toBeGreaterThan(100);
    expect(Math.max(...numbers)).toBe(3);
  });
});

describe('a small child', () => {
  const ofChildren = charts.filter((chart) => ageIn(chart, new Date(now).toISOString()) < 12);

  it('is nobody’s Mr. or Ms., and has no electronic mail', () => {
    const patients = ofChildren.map(patientOf);

    expect(patients.length).toBeGreaterThan(3);
    expect(patients.filter(({ name }) => name?.[0]?.prefix !== undefined)).toEqual([]);
    expect(patients.flatMap(({ telecom = [] }) => telecom).filter(({ system }) => system === 'email')).toEqual([]);
  });

  it('is not asked whether it smokes, and does not agree to a plan', () => {
    const texts = ofChildren.flatMap((chart) => [
      ...ofType(chart, 'DocumentReference').map(contentOf),
      ...resourcesOf(chart).flatMap((resource) => ('conclusion' in resource ? [resource.conclusion ?? ''] : [])),
    ]);

    expect(texts.length).toBeGreaterThan(10);
    expect(texts.filter((text) => /smok|The patient (has understood|reports)/.test(text))).toEqual([]);
  });
});

describe('an appointment that is over', () => {
  const hour = 3_600_000;
  const alive = Array.from({ length: 30 }, (_, seed) => seed + 1).filter(
    (seed) => patientOf(syntheticChart(seed, { now })).deceasedDateTime === undefined,
  );

  it('has led to a visit because of what it was made for', () => {
    for (const seed of alive) {
      const chart = syntheticChart(seed, { now, appointments: [now - hour, now + hour] });
      const [kept, ahead] = ofType(chart, 'Appointment');
      const url = (wanted: fhir4.FhirResource | undefined) =>
        chart.entry?.find(({ resource }) => resource === wanted)?.fullUrl ?? '';
      const visits = ofType(chart, 'Encounter').filter(({ appointment }) => appointment !== undefined);

      expect([kept?.status, ahead?.status]).toEqual(['fulfilled', 'booked']);
      expect(visits.map(({ appointment }) => appointment?.[0]?.reference)).toEqual([url(kept)]);
      expect(visits[0]?.period?.start).toBe(kept?.start);
      if (kept?.reasonReference !== undefined)
        expect(visits[0]?.diagnosis?.[0]?.condition.reference).toBe(kept.reasonReference[0]?.reference);
    }
  });

  it('may have left orders whose results are not there yet', () => {
    const made = alive.map((seed) => syntheticChart(seed, { now, appointments: [now - hour] }));
    const open = made.flatMap((chart) => ofType(chart, 'ServiceRequest').filter(({ status }) => status === 'active'));
    const reports = made.flatMap((chart) => ofType(chart, 'DiagnosticReport'));

    expect(open.length).toBeGreaterThan(2);
    expect(open.every(({ authoredOn }) => Date.parse(authoredOn ?? '') === now - hour)).toBe(true);
    expect(reports.filter(({ issued = '' }) => Date.parse(issued) > now)).toEqual([]);
  });
});
