/** A schedule of controlled substances that may be prescribed, and where it stands. */
interface Schedule {
  readonly schedule: 'II' | 'III' | 'IV' | 'V';
  /** Section of title 21 of the Code of Federal Regulations. */
  readonly source: string;
  /** Names of substances, without their salts, in lower case. One that is in several schedules, by its strength, stands in the strictest. */
  readonly names: readonly string[];
}

const list = (names: string): string[] => names.split(',').map((name) => name.trim());

/**
 * Controlled substances that are made into medicines, by the schedules of the DEA. Preparations that are exempted by their make (21 CFR 1308.32, 1308.34) count, for an order does not tell that.
 *
 * @see https://www.ecfr.gov/current/title-21/chapter-II/part-1308
 */
export const schedules: readonly Schedule[] = [
  {
    schedule: 'II',
    source: '21 CFR 1308.12',
    names: list(
      `alfentanil, amobarbital, amphetamine, amfetamine, benzhydrocodone, carfentanil, cocaine, codeine, dexamfetamine, dexamphetamine, dexmethylphenidate, dextroamphetamine, dihydrocodeine, ethylmorphine, fentanyl,
      glutethimide, hydrocodone, hydromorphone, levoamphetamine, levomethadyl, levorphanol, lisdexamfetamine, lisdexamphetamine, meperidine, methadone, methamphetamine, methylphenidate, morphine, nabilone, oliceridine,
      opium, oxycodone, oxymorphone, pentobarbital, pethidine, phenmetrazine, remifentanil, secobarbital, sufentanil, tapentadol`,
    ),
  },
  {
    schedule: 'III',
    source: '21 CFR 1308.13',
    names: list(
      `aprobarbital, benzphetamine, buprenorphine, butabarbital, butalbital, dronabinol, esketamine, fluoxymesterone, ketamine, methyltestosterone, nandrolone, oxandrolone, oxymetholone, paregoric,
      perampanel, phendimetrazine, sodium oxybate, oxybate, stanozolol, testosterone, thiamylal, thiopental`,
    ),
  },
  {
    schedule: 'IV',
    source: '21 CFR 1308.14',
    names: list(
      `alfaxalone, alprazolam, armodafinil, barbital, brexanolone, bromazepam, butorphanol, camazepam, carisoprodol, chloral hydrate, chlordiazepoxide, clobazam, clonazepam, clorazepate, clotiazepam,
      cloxazolam, daridorexant, delorazepam, dextropropoxyphene, diazepam, dichloralphenazone, diethylpropion, difenoxin, eluxadoline, estazolam, eszopiclone, ethchlorvynol, fludiazepam, flunitrazepam,
      flurazepam, fospropofol, halazepam, haloxazolam, ketazolam, lemborexant, loprazolam, lorazepam, lorcaserin, lormetazepam, mazindol, mebutamate, medazepam, mephobarbital, meprobamate, methohexital,
      midazolam, modafinil, nimetazepam, nitrazepam, nordiazepam, oxazepam, oxazolam, pemoline, pentazocine, phenobarbital, phenobarbitone, phentermine, pinazepam, prazepam, propoxyphene, quazepam, remimazolam,
      serdexmethylphenidate, sibutramine, solriamfetol, suvorexant, temazepam, tetrazepam, tramadol, triazolam, zaleplon, zolpidem, zopiclone, zuranolone`,
    ),
  },
  {
    schedule: 'V',
    source: '21 CFR 1308.15',
    names: list(
      `brivaracetam, cenobamate, diphenoxylate, ezogabine, ganaxolone, lacosamide, lasmiditan, pregabalin, pyrovalerone, retigabine`,
    ),
  },
];

/** Brand names under which they are known in the United States, by substance: an order that is written in words names these as often. Where one has several, that of the strictest schedule. */
export const brands: Readonly<Record<string, readonly string[]>> = {
  amphetamine: list('Adderall, Adzenys, Dyanavel, Evekeo, Mydayis'),
  dextroamphetamine: list('Dexedrine, Zenzedi'),
  lisdexamfetamine: list('Vyvanse'),
  methamphetamine: list('Desoxyn'),
  methylphenidate: list('Aptensio, Concerta, Daytrana, Jornay, Metadate, Methylin, Quillivant, Ritalin'),
  dexmethylphenidate: list('Azstarys, Focalin'),
  oxycodone: list('Endocet, OxyContin, Percocet, Percodan, Roxicodone, Xtampza'),
  hydrocodone: list('Hysingla, Lortab, Norco, Vicodin, Zohydro'),
  hydromorphone: list('Dilaudid, Exalgo'),
  oxymorphone: list('Opana'),
  morphine: list('Kadian, MS Contin, Roxanol'),
  fentanyl: list('Abstral, Actiq, Duragesic, Fentora, Sublimaze'),
  sufentanil: list('Dsuvia'),
  remifentanil: list('Ultiva'),
  meperidine: list('Demerol'),
  methadone: list('Dolophine, Methadose'),
  tapentadol: list('Nucynta'),
  benzhydrocodone: list('Apadaz'),
  nabilone: list('Cesamet'),
  pentobarbital: list('Nembutal'),
  secobarbital: list('Seconal'),
  buprenorphine: list('Belbuca, Butrans, Sublocade, Suboxone, Subutex, Zubsolv'),
  butalbital: list('Fioricet, Fiorinal'),
  dronabinol: list('Marinol, Syndros'),
  esketamine: list('Spravato'),
  ketamine: list('Ketalar'),
  oxybate: list('Lumryz, Xyrem, Xywav'),
  testosterone: list('AndroGel, Axiron, Fortesta, Jatenzo, Testim, Xyosted'),
  oxandrolone: list('Oxandrin'),
  oxymetholone: list('Anadrol'),
  perampanel: list('Fycompa'),
  alprazolam: list('Xanax'),
  lorazepam: list('Ativan'),
  diazepam: list('Diastat, Valium'),
  clonazepam: list('Klonopin'),
  temazepam: list('Restoril'),
  triazolam: list('Halcion'),
  chlordiazepoxide: list('Librax, Librium'),
  clorazepate: list('Tranxene'),
  clobazam: list('Onfi, Sympazan'),
  midazolam: list('Versed'),
  quazepam: list('Doral'),
  remimazolam: list('Byfavo'),
  zolpidem: list('Ambien, Edluar, Intermezzo'),
  eszopiclone: list('Lunesta'),
  zaleplon: list('Sonata'),
  suvorexant: list('Belsomra'),
  lemborexant: list('Dayvigo'),
  daridorexant: list('Quviviq'),
  modafinil: list('Provigil'),
  armodafinil: list('Nuvigil'),
  solriamfetol: list('Sunosi'),
  carisoprodol: list('Soma'),
  tramadol: list('ConZip, Ultracet, Ultram'),
  pentazocine: list('Talwin'),
  butorphanol: list('Stadol'),
  phentermine: list('Adipex, Lomaira, Qsymia'),
  eluxadoline: list('Viberzi'),
  difenoxin: list('Motofen'),
  zuranolone: list('Zurzuvae'),
  brexanolone: list('Zulresso'),
  pregabalin: list('Lyrica'),
  lacosamide: list('Vimpat'),
  brivaracetam: list('Briviact'),
  cenobamate: list('Xcopri'),
  diphenoxylate: list('Lomotil'),
  lasmiditan: list('Reyvow'),
  ezogabine: list('Potiga'),
  ganaxolone: list('Ztalmy'),
};
