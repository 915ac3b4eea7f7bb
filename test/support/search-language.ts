import { parseFilter } from '../../shared/search/parse/filter.lazy.ts';
import * as units from '../../shared/search/ucum/units.lazy.ts';

/** All that a search can say: what `languageOf` and `loadUnits` would load where it is needed. */
export const wholeLanguage = { parseFilter, units };
