import { concept, extension, quantity, reference, ucum } from './datatypes.ts';
import { sample } from './index.ts';

/** A copy of a sample with a change; what is set to undefined is left out, as in JSON. */
export const broken = <T extends fhir4.FhirResource['resourceType']>(
  type: T,
  change: (resource: Extract<fhir4.FhirResource, { resourceType: T }>) => void,
  id?: string,
): fhir4.FhirResource => {
  const resource = sample(type, id);
  change(resource);
  return JSON.parse(JSON.stringify(resource)) as fhir4.FhirResource;
};

const timing = (repeat: fhir4.TimingRepeat): fhir4.FhirResource =>
  broken('MedicationRequest', (resource) => {
    resource.dosageInstruction = [{ timing: { repeat } }];
  });

const questionnaireItem = (item: Partial<fhir4.QuestionnaireItem>): fhir4.FhirResource =>
  broken('Questionnaire', (resource) => {
    resource.item = [{ linkId: '1', type: 'string', ...item }];
  });

const contained = (medication: fhir4.Medication): fhir4.FhirResource =>
  broken('MedicationRequest', (resource) => {
    resource.contained = [medication];
    resource.reasonReference = [reference(`#${medication.id}`)];
  });

const repeatAt = 'MedicationRequest.dosageInstruction[0].timing.repeat';

/** Resources that break one invariant each: its key and the element that the check must name. */
export const brokenVariants: readonly (readonly [key: string, expression: string, resource: fhir4.FhirResource])[] = [
  [
    'obs-6',
    'Observation',
    broken(
      'Observation',
      (it) => {
        it.valueBoolean = true;
        it.dataAbsentReason = concept('unknown');
      },
      'bp',
    ),
  ],
  [
    'obs-7',
    'Observation',
    broken(
      'Observation',
      (it) => {
        it.valueBoolean = true;
        it.component?.push({ code: it.code });
      },
      'bp',
    ),
  ],
  [
    'obs-3',
    'Observation.referenceRange[3]',
    broken(
      'Observation',
      (it) => {
        it.referenceRange?.push({ type: concept('normal') });
      },
      'bp',
    ),
  ],
  [
    'obs-3',
    'Observation.component[1].referenceRange[0]',
    broken(
      'Observation',
      (it) => {
        if (it.component?.[1]) it.component[1].referenceRange = [{ age: {} }];
      },
      'bp',
    ),
  ],
  [
    'per-1',
    'Observation.effectivePeriod',
    broken(
      'Observation',
      (it) => {
        it.effectivePeriod = { start: '2024-01-02', end: '2024-01-01' };
      },
      'bp',
    ),
  ],
  [
    'per-1',
    'Patient.name[0].period',
    broken('Patient', (it) => {
      it.name = [{ text: 'x', period: { start: '2020-02-01T00:00:00Z', end: '2020-01-31T22:00:00-01:00' } }];
    }),
  ],
  [
    'qty-3',
    'Observation.component[0].valueQuantity',
    broken(
      'Observation',
      (it) => {
        it.component = [{ code: concept('x'), valueQuantity: { value: 1, code: 'mg' } }];
      },
      'bp',
    ),
  ],
  [
    'rng-2',
    'Observation.referenceRange[0].age',
    broken(
      'Observation',
      (it) => {
        it.referenceRange = [{ text: 'x', age: { low: quantity(9, 'a'), high: quantity(8, 'a') } }];
      },
      'bp',
    ),
  ],
  [
    'sqty-1',
    'Observation.referenceRange[0].low',
    broken(
      'Observation',
      (it) => {
        it.referenceRange = [{ low: { value: 1, comparator: '<' } }];
      },
      'bp',
    ),
  ],
  [
    'rat-1',
    'MedicationRequest.dosageInstruction[0].maxDosePerPeriod',
    broken('MedicationRequest', (it) => {
      it.dosageInstruction = [{ maxDosePerPeriod: { numerator: quantity(1, 'mg') } }];
    }),
  ],
  [
    'ref-1',
    'Observation.specimen',
    broken(
      'Observation',
      (it) => {
        it.specimen = reference('#nothing');
      },
      'bp',
    ),
  ],
  [
    'ext-1',
    'Observation.extension[0]',
    broken(
      'Observation',
      (it) => {
        it.extension = [{ ...extension('x'), extension: [extension('y')] }];
      },
      'bp',
    ),
  ],
  [
    'ext-1',
    'Observation.code.coding[0].extension[0].extension[0]',
    broken(
      'Observation',
      (it) => {
        it.code = { coding: [{ code: 'x', extension: [{ url: 'http://example.org/a', extension: [{ url: 'b' }] }] }] };
      },
      'bp',
    ),
  ],
  [
    'ext-1',
    'Patient.birthDate.extension[0]',
    broken('Patient', (it) => {
      it._birthDate = { extension: [{ url: 'http://example.org/empty' }] };
    }),
  ],
  [
    'ext-1',
    'Patient.name[0].given[1].extension[0]',
    broken('Patient', (it) => {
      it.name = [
        { given: ['a', 'b'], _given: [null, { extension: [{ url: 'http://example.org/empty' }] }] } as fhir4.HumanName,
      ];
    }),
  ],
  [
    'att-1',
    'DocumentReference.content[0].attachment',
    broken('DocumentReference', (it) => {
      it.content = [{ attachment: { data: 'SGVsbG8=' } }];
    }),
  ],
  [
    'cpt-2',
    'Patient.telecom[1]',
    broken('Patient', (it) => {
      it.telecom = [{ system: 'phone', value: '1' }, { value: '2' }];
    }),
  ],
  [
    'age-1',
    'Condition.onsetAge',
    broken('Condition', (it) => {
      it.onsetAge = { value: 0, system: ucum, code: 'a' };
    }),
  ],
  [
    'drt-1',
    'Encounter.length',
    broken('Encounter', (it) => {
      it.length = { system: ucum, code: 'h' };
    }),
  ],
  ['tim-1', repeatAt, timing({ duration: 1 })],
  ['tim-2', repeatAt, timing({ period: 1 })],
  ['tim-4', repeatAt, timing({ duration: -1, durationUnit: 'h' })],
  ['tim-5', repeatAt, timing({ period: -1, periodUnit: 'd' })],
  ['tim-6', repeatAt, timing({ periodMax: 2 })],
  ['tim-7', repeatAt, timing({ durationMax: 2 })],
  ['tim-8', repeatAt, timing({ countMax: 2 })],
  ['tim-9', repeatAt, timing({ offset: 5, when: ['CM'] })],
  ['tim-9', repeatAt, timing({ offset: 5 })],
  ['tim-10', repeatAt, timing({ when: ['MORN'], timeOfDay: ['08:00:00'] })],
  [
    'pat-1',
    'Patient.contact[1]',
    broken('Patient', (it) => {
      it.contact = [{ name: { text: 'x' } }, { gender: 'male' }];
    }),
  ],
  [
    'org-1',
    'Organization',
    broken('Organization', (it) => {
      delete it.name;
      delete it.identifier;
    }),
  ],
  [
    'org-2',
    'Organization.address[0]',
    broken('Organization', (it) => {
      it.address = [{ use: 'home', city: 'Town' }];
    }),
  ],
  [
    'org-3',
    'Organization.telecom[1]',
    broken('Organization', (it) => {
      it.telecom = [{ use: 'work' }, { use: 'home' }];
    }),
  ],
  [
    'app-1',
    'Appointment.participant[0]',
    broken('Appointment', (it) => {
      it.participant = [{ status: 'accepted' }];
    }),
  ],
  [
    'app-2',
    'Appointment',
    broken('Appointment', (it) => {
      it.status = 'proposed';
      delete it.end;
    }),
  ],
  [
    'app-3',
    'Appointment',
    broken('Appointment', (it) => {
      delete it.start;
      delete it.end;
    }),
  ],
  [
    'app-4',
    'Appointment',
    broken('Appointment', (it) => {
      it.cancelationReason = concept('weather');
    }),
  ],
  [
    'con-1',
    'Condition.stage[0]',
    broken('Condition', (it) => {
      it.stage = [{ type: concept('x') }];
    }),
  ],
  [
    'con-2',
    'Condition.evidence[0]',
    broken('Condition', (it) => {
      it.evidence = [{ id: 'e' }];
    }),
  ],
  [
    'con-3',
    'Condition',
    broken('Condition', (it) => {
      delete it.clinicalStatus;
      delete it.abatementRange;
    }),
  ],
  [
    'con-4',
    'Condition',
    broken('Condition', (it) => {
      it.clinicalStatus = concept('active', 'http://terminology.hl7.org/CodeSystem/condition-clinical');
    }),
  ],
  [
    'con-5',
    'Condition',
    broken('Condition', (it) => {
      it.verificationStatus = concept('entered-in-error', 'http://terminology.hl7.org/CodeSystem/condition-ver-status');
    }),
  ],
  [
    'ait-1',
    'AllergyIntolerance',
    broken('AllergyIntolerance', (it) => {
      delete it.clinicalStatus;
    }),
  ],
  [
    'ait-2',
    'AllergyIntolerance',
    broken('AllergyIntolerance', (it) => {
      it.verificationStatus = concept(
        'entered-in-error',
        'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification',
      );
    }),
  ],
  [
    'cpl-3',
    'CarePlan.activity[0]',
    broken('CarePlan', (it) => {
      it.activity = [{ reference: reference('Task/t1'), detail: { status: 'scheduled' } }];
    }),
  ],
  [
    'ctm-1',
    'CareTeam.participant[0]',
    broken('CareTeam', (it) => {
      it.participant = [{ member: reference('Patient/p1'), onBehalfOf: reference('Organization/o1') }];
    }),
  ],
  [
    'gol-1',
    'Goal.target[0]',
    broken('Goal', (it) => {
      it.target = [{ detailString: 'x' }];
    }),
  ],
  [
    'fhs-1',
    'FamilyMemberHistory',
    broken('FamilyMemberHistory', (it) => {
      it.bornString = '1950';
    }),
  ],
  [
    'fhs-2',
    'FamilyMemberHistory',
    broken('FamilyMemberHistory', (it) => {
      delete it.ageAge;
    }),
  ],
  [
    'ras-1',
    'RiskAssessment.prediction[1].probabilityRange',
    broken('RiskAssessment', (it) => {
      if (it.prediction?.[1]) it.prediction[1].probabilityRange = { low: quantity(1, 'mg') };
    }),
  ],
  [
    'ras-2',
    'RiskAssessment.prediction[0]',
    broken('RiskAssessment', (it) => {
      it.prediction = [{ probabilityDecimal: 100.5 }];
    }),
  ],
  [
    'imm-1',
    'Immunization.education[0]',
    broken('Immunization', (it) => {
      it.education = [{ publicationDate: '2020' }];
    }),
  ],
  [
    'mad-1',
    'MedicationAdministration.dosage',
    broken('MedicationAdministration', (it) => {
      it.dosage = { text: 'one' };
    }),
  ],
  [
    'mdd-1',
    'MedicationDispense',
    broken('MedicationDispense', (it) => {
      it.whenHandedOver = '2023-12-31';
    }),
  ],
  [
    'inv-1',
    'Task',
    broken('Task', (it) => {
      it.lastModified = '2023-12-31T23:59:59.999Z';
    }),
  ],
  [
    'cmp-1',
    'Composition.section[1].section[0]',
    broken('Composition', (it) => {
      if (it.section?.[1]) it.section[1].section = [{ title: 'x' }];
    }),
  ],
  [
    'cmp-2',
    'Composition.section[0]',
    broken('Composition', (it) => {
      if (it.section?.[0]) it.section[0].emptyReason = concept('nilknown');
    }),
  ],
  [
    'lst-1',
    'List',
    broken('List', (it) => {
      it.emptyReason = concept('nilknown');
    }),
  ],
  [
    'lst-2',
    'List',
    broken('List', (it) => {
      it.entry = [{ item: reference('Condition/c1'), deleted: true }];
    }),
  ],
  [
    'lst-3',
    'List',
    broken('List', (it) => {
      it.mode = 'snapshot';
    }),
  ],
  [
    'sev-1',
    'AuditEvent.entity[0]',
    broken('AuditEvent', (it) => {
      it.entity = [{ name: 'x', query: 'bmFtZT14' }];
    }),
  ],
  [
    'ppc-1',
    'Consent',
    broken('Consent', (it) => {
      delete it.policyRule;
    }),
  ],
  [
    'grp-1',
    'Group',
    broken('Group', (it) => {
      it.actual = false;
    }),
  ],
  [
    'msq-3',
    'MolecularSequence',
    broken('MolecularSequence', (it) => {
      it.coordinateSystem = 2;
    }),
  ],
  [
    'qrs-1',
    'QuestionnaireResponse.item[0].item[0]',
    broken('QuestionnaireResponse', (it) => {
      it.item = [{ linkId: '1', item: [{ linkId: '2', answer: [{ valueBoolean: true }], item: [{ linkId: '3' }] }] }];
    }),
  ],
  ['que-1', 'Questionnaire.item[0]', questionnaireItem({ type: 'group' })],
  ['que-2', 'Questionnaire', questionnaireItem({ item: [{ linkId: '1', type: 'string' }] })],
  ['que-3', 'Questionnaire.item[0]', questionnaireItem({ type: 'display', code: [{ code: 'x' }] })],
  [
    'que-4',
    'Questionnaire.item[0]',
    questionnaireItem({
      type: 'choice',
      answerValueSet: 'http://example.org/vs',
      answerOption: [{ valueString: 'a' }],
    }),
  ],
  ['que-5', 'Questionnaire.item[0]', questionnaireItem({ type: 'boolean', answerOption: [{ valueString: 'a' }] })],
  ['que-6', 'Questionnaire.item[0]', questionnaireItem({ type: 'display', required: true })],
  [
    'que-7',
    'Questionnaire.item[0].enableWhen[0]',
    questionnaireItem({ enableWhen: [{ question: '1', operator: 'exists', answerString: 'yes' }] }),
  ],
  ['que-8', 'Questionnaire.item[0]', questionnaireItem({ type: 'display', initial: [{ valueBoolean: true }] })],
  ['que-9', 'Questionnaire.item[0]', questionnaireItem({ type: 'display', readOnly: true })],
  ['que-10', 'Questionnaire.item[0]', questionnaireItem({ type: 'date', maxLength: 3 })],
  [
    'que-11',
    'Questionnaire.item[0]',
    questionnaireItem({ type: 'choice', answerOption: [{ valueString: 'a' }], initial: [{ valueString: 'a' }] }),
  ],
  ['que-13', 'Questionnaire.item[0]', questionnaireItem({ initial: [{ valueString: 'a' }, { valueString: 'b' }] })],
  [
    'csd-1',
    'CodeSystem',
    broken('CodeSystem', (it) => {
      it.concept = [{ code: 'a', concept: [{ code: 'a' }] }];
    }),
  ],
  [
    'vsd-1',
    'ValueSet.compose.include[0]',
    broken('ValueSet', (it) => {
      it.compose = { include: [{ version: '1' }] };
    }),
  ],
  [
    'vsd-9',
    'ValueSet.expansion.contains[0]',
    broken('ValueSet', (it) => {
      it.expansion = { timestamp: '2024-01-01', contains: [{ display: 'a' }] };
    }),
  ],
  [
    'vsd-10',
    'ValueSet.expansion.contains[0]',
    broken('ValueSet', (it) => {
      it.expansion = { timestamp: '2024-01-01', contains: [{ code: 'a' }] };
    }),
  ],
  [
    'bdl-1',
    'Bundle',
    broken('Bundle', (it) => {
      it.total = 1;
    }),
  ],
  [
    'bdl-3',
    'Bundle',
    broken('Bundle', (it) => {
      if (it.entry?.[0]) it.entry[0].request = { method: 'GET', url: 'x' };
    }),
  ],
  [
    'bdl-7',
    'Bundle',
    broken('Bundle', (it) => {
      it.type = 'collection';
      it.entry = [
        { fullUrl: 'urn:x', resource: sample('Task') },
        { fullUrl: 'urn:x', resource: sample('Task') },
      ];
    }),
  ],
  [
    'bdl-8',
    'Bundle.entry[0]',
    broken('Bundle', (it) => {
      if (it.entry?.[0]) it.entry[0].fullUrl = 'http://example.org/Composition/1/_history/2';
    }),
  ],
  [
    'bdl-10',
    'Bundle',
    broken('Bundle', (it) => {
      delete it.timestamp;
    }),
  ],
  [
    'bdl-11',
    'Bundle',
    broken('Bundle', (it) => {
      it.entry = [{ resource: sample('Task') }];
    }),
  ],
  [
    'sdf-20',
    'StructureDefinition.differential',
    broken('StructureDefinition', (it) => {
      if (it.differential?.element[0]) it.differential.element[0].slicing = { rules: 'open', description: 'x' };
    }),
  ],
  [
    'sdf-17',
    'StructureDefinition',
    broken('StructureDefinition', (it) => {
      if (it.differential?.element[1]) it.differential.element[1].id = 'Patient';
    }),
  ],
  [
    'sdf-8a',
    'StructureDefinition.differential',
    broken('StructureDefinition', (it) => {
      if (it.differential?.element[1]) it.differential.element[1].path = 'Person.name';
    }),
  ],
  [
    'eld-2',
    'StructureDefinition.differential.element[1]',
    broken('StructureDefinition', (it) => {
      if (it.differential?.element[1]) Object.assign(it.differential.element[1], { min: 2, max: '1' });
    }),
  ],
  [
    'dom-2',
    'MedicationRequest.contained[0]',
    contained({ resourceType: 'Medication', id: 'm', contained: [{ resourceType: 'Basic', id: 'n' }] }),
  ],
  [
    'dom-3',
    'MedicationRequest.contained[0]',
    broken('MedicationRequest', (it) => {
      it.contained = [{ resourceType: 'Medication', id: 'm' }];
    }),
  ],
  [
    'dom-4',
    'MedicationRequest.contained[0]',
    contained({ resourceType: 'Medication', id: 'm', meta: { versionId: '1' } }),
  ],
  [
    'dom-5',
    'MedicationRequest.contained[0]',
    contained({ resourceType: 'Medication', id: 'm', meta: { security: [{ code: 'R' }] } }),
  ],
];
