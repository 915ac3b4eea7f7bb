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
      `alfentanil, amobarbital, amphetamine, amfetamine, benzhydrocodone, carfentanil, cocaine, codeine, dexamfetamine, dexmethylphenidate, dextroamphetamine, dihydrocodeine, ethylmorphine, fentanyl,
      glutethimide, hydrocodone, hydromorphone, levoamphetamine, levomethadyl, levorphanol, lisdexamfetamine, meperidine, methadone, methamphetamine, methylphenidate, morphine, nabilone, oliceridine,
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
      midazolam, modafinil, nimetazepam, nitrazepam, nordiazepam, oxazepam, oxazolam, pemoline, pentazocine, phenobarbital, phentermine, pinazepam, prazepam, propoxyphene, quazepam, remimazolam,
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
