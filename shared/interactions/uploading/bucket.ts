import type { UploadPolicy } from '../../access/policy.ts';
import { ContentObjects } from '../../store/content-objects.ts';
import type { RequestContext } from '../context.ts';

/** What holds where a deployment says nothing. */
const usualUploads: UploadPolicy = { largestMegabytes: 100, scanner: 'guardduty' };

export const uploadsOf = ({ policy }: Pick<RequestContext, 'policy'>): UploadPolicy => policy.uploads ?? usualUploads;

/** The bucket, as far as content is put there and had from there directly. */
export const contentObjects = ({ store }: Pick<RequestContext, 'store'>): ContentObjects => {
  const { CONTENT_KEY_ARN } = process.env;
  return new ContentObjects(store.client, store.objects.at, CONTENT_KEY_ARN || undefined);
};
