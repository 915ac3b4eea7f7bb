/**
 * A ward's worth of HL7 v2 messages: patients who are registered, admitted and discharged, whose data are corrected and taken back, with appointments that move, orders that are stopped, vaccinations that are
 * corrected, and records that are merged; some sent twice. Of a seed, so that each run has the same. It knows nothing of how they are read.
 */
export interface Sent {
  readonly text: string;
  /** The number of the patient whom it is of. */
  readonly patient: string;
}

/** Numbers from 0 to just below 1, the same for each seed. */
export const numbersFrom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

export const shuffled = <T>(items: readonly T[], random: () => number): T[] => {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other] as T, mixed[last] as T];
  }
  return mixed;
};

const families = [
  'Abara',
  'Bilek',
  'Cortez',
  'Dufour',
  'Eklund',
  'Farrow',
  'Grozdev',
  'Halloran',
  'Ishikawa',
  'Jansson',
  'Kovacs',
  'Lindqvist',
  'Moreau',
  'Nakamura',
  'Ostrowski',
  'Petrov',
];
const givens = [
  'Zelda',
  'Yusuf',
  'Xenia',
  'Wanda',
  'Viktor',
  'Ursula',
  'Tomasz',
  'Silvia',
  'Renzo',
  'Quentin',
  'Paloma',
  'Otto',
  'Nadia',
  'Marek',
  'Lucia',
  'Karim',
];
const streets = ['Elm', 'Oak', 'Ash', 'Birch', 'Cedar', 'Maple'];
const vaccines = ['140^Influenza^CVX', '115^Tdap^CVX', '208^COVID-19^CVX'];
const allergies = [
  'DA|1191^Aspirin^RXNORM|SV|hives',
  'FA|227493005^Cashew nuts^SCT|MO|itching',
  'DA|7980^Penicillin G^RXNORM|U',
];
const diagnoses = ['I10^Hypertension^I10C', 'E11.9^Diabetes^I10C', 'J45.909^Asthma^I10C'];

const two = (number: number) => String(number).padStart(2, '0');

/** Segments with a field at each of some places, and nothing between. */
export const segment = (name: string, fields: Readonly<Record<number, string>>): string => {
  const last = Math.max(0, ...Object.keys(fields).map(Number));
  return [name, ...Array.from({ length: last }, (_, index) => fields[index + 1] ?? '')].join('|');
};

/**
 * @param count - of messages, at least.
 * @returns in the order in which they were said.
 */
export const generatedMessages = (seed: number, count: number): Sent[] => {
  const random = numbersFrom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const chance = (share: number) => random() < share;
  const all: Sent[] = [];
  let minute = 0;
  let control = 0;
  const time = () => {
    minute += 1 + Math.floor(random() * 7);
    return `202602${two(1 + (Math.floor(minute / 1_440) % 27))}${two(Math.floor(minute / 60) % 24)}${two(minute % 60)}${two(minute % 50)}`;
  };
  const say = (patient: string, type: string, segments: readonly string[]) => {
    const at = time();
    const event = type.split('^')[1] ?? '';
    const evn = type.startsWith('ADT') ? [segment('EVN', { 1: event, 2: at })] : [];
    const header = `MSH|^~\\&|APP|FAC|CONCORD|NORTH|${at}||${type}|G${seed}-${++control}|P|${pick(['2.3', '2.5.1', '2.8'])}`;
    all.push({ patient, text: [header, ...evn, ...segments].map((line) => `${line}\r`).join('') });
  };
  const people: string[] = [];
  while (all.length < count) {
    const number = `${seed}${1_000 + people.length}`;
    const index = people.length;
    people.push(number);
    const name = `${families[index % families.length]}${'abcdefgh'[Math.floor(index / families.length) % 8]}^${pick(givens)}${index}`;
    const born = `${1930 + ((index * 7) % 80)}${two(1 + (index % 12))}${two(1 + ((index * 5) % 28))}`;
    const sex = pick(['F', 'M', 'O', 'U']);
    const numberField = { 3: `${number}^^^HOSP^MR` };
    const whole = { ...numberField, 5: name, 7: born, 8: sex };
    const partial = (): Record<number, string> => ({
      ...whole,
      ...(chance(0.3)
        ? {
            11: chance(0.2) ? '""' : `${1 + Math.floor(random() * 90)} ${pick(streets)} St^^Springfield^IL^62701^USA^H`,
          }
        : {}),
      ...(chance(0.3) ? { 13: chance(0.2) ? '""' : `^PRN^PH^^1^217^555${1_000 + Math.floor(random() * 9_000)}` } : {}),
      ...(chance(0.2) ? { 14: `^WPN^PH^^1^217^556${1_000 + Math.floor(random() * 9_000)}` } : {}),
      ...(chance(0.2) ? { 16: pick(['S', 'M', 'D', '""']) } : {}),
      ...(chance(0.1) ? { 8: pick(['F', 'M', 'U']) } : {}),
      ...(chance(0.1) ? { 5: `${name}~Short^${pick(givens)}^^^^^N` } : {}),
    });
    const visit = `V${number}-1`;
    const pv1 = (fields: Readonly<Record<number, string>> = {}) =>
      segment('PV1', { 1: '1', 2: pick(['I', 'O', 'E']), 19: visit, ...fields });
    const pid = (fields: Readonly<Record<number, string>> = numberField) => segment('PID', { 1: '1', ...fields });
    const nextOfKin = () =>
      segment('NK1', {
        1: '1',
        2: `Kin^${number}`,
        3: pick(['SPO', 'SPO', 'MTH']),
        5: `^PRN^PH^^1^217^557${1_000 + Math.floor(random() * 9_000)}`,
      });
    const more = () => [
      ...(chance(0.4) ? [nextOfKin()] : []),
      ...(chance(0.4) ? [`AL1|1|${pick(allergies)}`] : []),
      ...(chance(0.4)
        ? [`DG1|1||${pick(diagnoses)}||2026020${1 + Math.floor(random() * 9)}|${pick(['A', 'W', 'F'])}`]
        : []),
      ...(chance(0.2)
        ? [
            segment('IN1', {
              1: '1',
              2: 'PLAN',
              4: 'Acme',
              12: pick(['20250101', '20260101']),
              17: 'SEL',
              36: `P${number}`,
            }),
          ]
        : []),
    ];
    say(number, pick(['ADT^A01^ADT_A01', 'ADT^A04^ADT_A01']), [
      pid(whole),
      pv1({ 3: `${pick(['1N', '2S'])}^10^A^HOSP`, 7: '77^Okafor^Ngozi', 44: '20260131080000' }),
      ...more(),
    ]);
    for (let changes = Math.floor(random() * 4); changes > 0; changes--)
      say(number, 'ADT^A08^ADT_A01', [
        pid(partial()),
        pv1(chance(0.3) ? { 3: `${pick(['1N', '2S', '3E'])}^11^B^HOSP` } : {}),
        ...more(),
      ]);
    if (chance(0.5)) {
      const appointment = `A${number}`;
      const start = (day: number) => `202603${two(day)}1${Math.floor(random() * 8)}0000`;
      const sch = (day: number) =>
        segment('SCH', { 2: appointment, 7: 'CHECKUP^Check-up^LOCAL', 9: '30', 10: 'MIN', 11: `^^^${start(day)}` });
      say(number, 'SIU^S12^SIU_S12', [sch(3), pid(), 'RGS|1', `AIP|1||78^Adeyemi^Tola`, 'AIL|1||ROOM^7']);
      if (chance(0.6))
        say(number, 'SIU^S13^SIU_S12', [sch(9), pid(), 'RGS|1', ...(chance(0.5) ? ['AIP|1||79^Larsen^Ida'] : [])]);
      if (chance(0.4))
        say(number, pick(['SIU^S15^SIU_S12', 'SIU^S26^SIU_S12']), [
          segment('SCH', { 2: appointment, 6: 'PATIENT^By the patient^LOCAL' }),
          pid(),
        ]);
    }
    if (chance(0.5)) {
      const order = (control: string, fields: Readonly<Record<number, string>> = {}) => [
        segment('ORC', { 1: control, 2: `O${number}`, 9: '20260205090000', ...fields }),
        segment('OBR', { 1: '1', 2: `O${number}`, 4: '2345-7^Glucose^LN' }),
      ];
      say(number, 'ORM^O01', [pid(), ...order('NW', { 7: '^^^^^R' }), 'NTE|1||Fasting']);
      if (chance(0.5)) say(number, 'ORM^O01', [pid(), ...order(pick(['HD', 'CA', 'XO']), { 7: '^^^^^S' })]);
      if (chance(0.3)) say(number, 'ORM^O01', [pid(), ...order('SC', { 5: 'CM' })]);
    }
    if (chance(0.5)) {
      const result = (state: string, glucose: string) => [
        segment('ORC', { 1: 'RE', 3: `R${number}` }),
        segment('OBR', {
          1: '1',
          3: `R${number}`,
          4: '24323-8^CMP^LN',
          7: '20260205093000',
          22: time(),
          25: state,
        }),
        segment('OBX', {
          1: '1',
          2: 'NM',
          3: '2345-7^Glucose^LN',
          5: glucose,
          6: 'mg/dL^^UCUM',
          7: '70-99',
          8: 'H',
          11: state,
        }),
        segment('OBX', { 1: '2', 2: 'ST', 3: '5778-6^Color^LN', 5: 'yellow', 11: state }),
      ];
      say(number, 'ORU^R01^ORU_R01', [pid(), ...result('P', '101')]);
      say(number, 'ORU^R01^ORU_R01', [pid(), ...result('F', '102.50')]);
      if (chance(0.4)) say(number, 'ORU^R01^ORU_R01', [pid(), ...result('C', '99')]);
    }
    if (chance(0.5)) {
      const vaccine = pick(vaccines);
      const given = (lot: string, fields: Readonly<Record<number, string>> = {}) => [
        segment('ORC', { 1: 'RE', 3: `I${number}` }),
        segment('RXA', {
          1: '0',
          2: '1',
          3: '20260204',
          5: vaccine,
          6: '0.5',
          7: 'mL^^UCUM',
          9: '00^New^NIP001',
          15: lot,
          20: 'CP',
          ...fields,
        }),
        'RXR|IM^Intramuscular^HL70162|LD^Left deltoid^HL70163',
      ];
      say(number, 'VXU^V04^VXU_V04', [pid(), ...given('LOT1')]);
      if (chance(0.4)) say(number, 'VXU^V04^VXU_V04', [pid(), ...given('LOT2', chance(0.3) ? { 21: 'D' } : {})]);
    }
    if (chance(0.6))
      say(number, 'ADT^A03^ADT_A03', [pid(), pv1({ 36: '01', ...(chance(0.5) ? { 45: '20260210100000' } : {}) })]);
    // One record of two turns out to be the other one's, each in one merge at most.
    if (index % 5 === 4)
      say(people[index - 1] ?? '', 'ADT^A40^ADT_A39', [
        segment('PID', { 3: `${people[index - 1]}^^^HOSP^MR` }),
        segment('MRG', { 1: `${number}^^^HOSP^MR` }),
      ]);
  }
  const repeated = all.filter(() => chance(0.1));
  return [...all, ...repeated];
};
