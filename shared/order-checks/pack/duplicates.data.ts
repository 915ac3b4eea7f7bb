/**
 * Classes of which one medicine at a time is enough.
 */
export const duplicates = `[
{"id":"duplicate-anticoagulants","class":"anticoagulants","severity":"serious","text":"Two anticoagulants: bleeding. Both may be meant for a few days of change.","source":"label-warfarin","where":"section 7.3"},
{"id":"duplicate-nsaids","class":"nsaids","severity":"serious","text":"Two NSAIDs: more bleeding and ulcers, no better effect.","source":"label-ibuprofen","where":"section 7, other NSAIDs and salicylates"},
{"id":"duplicate-renin-angiotensin-blockers","class":"renin-angiotensin-blockers","severity":"serious","text":"Two blockers of one system: low blood pressure, potassium too high, kidney failure.","source":"label-lisinopril","where":"section 7"},
{"id":"duplicate-onc-mao-inhibitors","class":"onc-mao-inhibitors","severity":"contraindicated","text":"Two MAO inhibitors: hypertensive crisis.","source":"label-tranylcypromine","where":"section 4"},
{"id":"duplicate-ssri-snri","class":"ssri-snri","severity":"serious","text":"Two of them: serotonin syndrome.","source":"label-sertraline","where":"sections 5 and 7"},
{"id":"duplicate-opioids","class":"opioids","severity":"serious","text":"Two opioids: sedation and depressed breathing. One for the day and one for need may be meant.","source":"label-morphine","where":"section 7"},
{"id":"duplicate-benzodiazepines","class":"benzodiazepines","severity":"serious","text":"Two benzodiazepines: sedation and falls.","source":"label-diazepam","where":"Boxed warning and section 7"},
{"id":"duplicate-triptans","class":"triptans","severity":"contraindicated","text":"Two triptans within 24 hours: spasm of arteries.","source":"label-rizatriptan","where":"section 4"},
{"id":"duplicate-glp1-agonists","class":"glp1-agonists","severity":"serious","text":"Two GLP-1 receptor agonists do more harm and no more good.","source":"label-semaglutide","where":"limitations of use"},
{"id":"duplicate-potassium-sparing-diuretics","class":"potassium-sparing-diuretics","severity":"serious","text":"Two of them: potassium too high.","source":"label-eplerenone","where":"sections 4 and 7"},
{"id":"duplicate-statins","class":"statins","severity":"moderate","text":"One statin is enough.","source":"label-atorvastatin","where":"section 12.1, one mechanism of action"},
{"id":"duplicate-proton-pump-inhibitors","class":"proton-pump-inhibitors","severity":"moderate","text":"One of them is enough.","source":"label-omeprazole","where":"section 12.1, one mechanism of action"},
{"id":"duplicate-h2-blockers","class":"h2-blockers","severity":"moderate","text":"One of them is enough.","source":"label-famotidine","where":"section 12.1, one mechanism of action"},
{"id":"duplicate-beta-blockers","class":"beta-blockers","severity":"moderate","text":"Two beta blockers: slow heart and low blood pressure. Eye drops count.","source":"label-metoprolol","where":"section 12.1, one mechanism of action"},
{"id":"duplicate-dihydropyridines","class":"dihydropyridines","severity":"moderate","text":"Two of them: low blood pressure.","source":"label-amlodipine","where":"section 12.1, one mechanism of action"},
{"id":"duplicate-thiazides","class":"thiazides","severity":"moderate","text":"Two of them: loss of potassium and water. Some are meant together.","source":"label-hydrochlorothiazide","where":"Clinical pharmacology, one mechanism of action"},
{"id":"duplicate-loop-diuretics","class":"loop-diuretics","severity":"moderate","text":"Two of them: loss of potassium and water.","source":"label-furosemide","where":"Clinical pharmacology, one mechanism of action"},
{"id":"duplicate-sulfonylureas","class":"sulfonylureas","severity":"moderate","text":"Two of them: low blood sugar.","source":"label-glipizide","where":"Clinical pharmacology, one mechanism of action"},
{"id":"duplicate-dpp4-inhibitors","class":"dpp4-inhibitors","severity":"moderate","text":"One of them is enough.","source":"label-sitagliptin","where":"section 12.1, one mechanism of action"},
{"id":"duplicate-sglt2-inhibitors","class":"sglt2-inhibitors","severity":"moderate","text":"One of them is enough.","source":"label-empagliflozin","where":"section 12.1, one mechanism of action"},
{"id":"duplicate-antipsychotics","class":"antipsychotics","severity":"moderate","text":"Two of them do more harm and seldom more good.","source":"label-quetiapine","where":"section 12.1, one mechanism of action"},
{"id":"duplicate-tricyclic-compounds","class":"tricyclic-compounds","severity":"moderate","text":"Two of them: more of all their harms.","source":"label-amitriptyline","where":"Clinical pharmacology, one mechanism of action"},
{"id":"duplicate-sedative-antihistamines","class":"sedative-antihistamines","severity":"moderate","text":"Two of them: sedation and confusion.","source":"label-diphenhydramine","where":"Warnings"},
{"id":"duplicate-corticosteroids","class":"corticosteroids","severity":"moderate","text":"Two of them add up. A cream beside a tablet may be meant.","source":"label-prednisone","where":"Clinical pharmacology, one mechanism of action"},
{"id":"duplicate-z-drugs","class":"z-drugs","severity":"moderate","text":"One of them is enough.","source":"label-zolpidem","where":"section 5"}
]`;
