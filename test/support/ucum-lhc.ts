import { createRequire } from 'node:module';

/** What is used of the package, which has no types of its own. https://lhncbc.github.io/ucum-lhc/ */
interface UcumPackage {
  readonly UcumLhcUtils: {
    getInstance(): {
      convertUnitTo(
        from: string,
        value: number,
        to: string,
        options: { molecularWeight?: number | null },
      ): { readonly status: string; readonly toVal: number | null };
    };
  };
}

const units = (createRequire(import.meta.url)('@lhncbc/ucum-lhc') as UcumPackage).UcumLhcUtils.getInstance();

/**
 * A value in another unit, by an evaluator of UCUM that shares nothing with shared/search; undefined if it does not convert.
 *
 * @param gramsPerMole - of the substance, if it is known.
 */
export const convertUnit = (value: number, from: string, to: string, gramsPerMole?: number): number | undefined => {
  const { status, toVal } = units.convertUnitTo(from, value, to, { molecularWeight: gramsPerMole ?? null });
  return status === 'succeeded' && toVal !== null ? toVal : undefined;
};

/** What is used of a unit's published definition. */
export interface PublishedUnit {
  readonly csCode_: string;
  readonly magnitude_: number;
  readonly dim_: { readonly dimVec_?: readonly number[] | null };
  readonly isArbitrary_: boolean;
}

/** All units that the package publishes: those of UCUM, and combinations of them that LOINC uses. */
export const publishedUnits = (): readonly PublishedUnit[] => {
  const load = createRequire(import.meta.url);
  const { unpackArray } = load('@lhncbc/ucum-lhc/source-cjs/jsonArrayPack.js') as {
    unpackArray: (packed: unknown) => readonly PublishedUnit[];
  };
  const { units: packed } = load('@lhncbc/ucum-lhc/data/ucumDefs.min.json') as { units: unknown };
  return unpackArray(structuredClone(packed));
};
