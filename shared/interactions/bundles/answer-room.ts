import { RecordError } from '../../errors.ts';
import { largestPageBytes, weightOf } from '../searchset.ts';
import { type RoutedEntry, writes } from './route-entry.ts';

/**
 * Room for what the entries of a bundle answer, filled in the order in which they are carried out. What finds no room is dropped at once, and nothing is
 * read any more that would be: else a bundle of small requests fills the memory with what its answer cannot hold.
 */
export class AnswerRoom {
  #bytes = 0;
  #full = false;

  /**
   * To be asked before an entry is carried out.
   *
   * @throws RecordError `too-large` if it only reads, and what those before it read has not all found room.
   */
  require(entry: RoutedEntry): void {
    if (this.#full && !writes(entry) && entry.method !== 'HEAD') throw answerTooLarge(entry.index);
  }

  /**
   * What is kept of the answer of an entry: all of it; or, where its resource finds no room, what tells of a write.
   *
   * @throws RecordError `too-large` if there is no room for what was only read.
   */
  keep(answer: fhir4.BundleEntry, index: number): fhir4.BundleEntry {
    const { resource, ...told } = answer;
    if (!resource) return answer;
    const weight = weightOf(resource);
    if (this.#bytes + weight <= largestPageBytes) {
      this.#bytes += weight;
      return answer;
    }
    this.#full = true;
    if (told.response?.location === undefined) throw answerTooLarge(index);
    return told;
  }
}

/** The refusal of an entry whose answer finds no room. */
export const answerTooLarge = (index: number): RecordError =>
  new RecordError('too-large', 'The answer would be too large; ask for this entry by itself', {
    reason: 'answer-too-large',
    expression: `Bundle.entry[${index}]`,
  });
