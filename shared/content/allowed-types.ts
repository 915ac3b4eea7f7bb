/**
 * Types of content that may be uploaded: documents, pictures, sound, moving pictures and data that clinics exchange. None of them is run by who looks at it: no pages, scripts, drawings
 * that hold scripts, programs, archives, or documents with macros. Extend it here alone.
 *
 * @see https://www.iana.org/assignments/media-types/media-types.xhtml
 */
export const allowedTypes: ReadonlySet<string> = new Set([
  'application/dicom',
  'application/hl7-v2',
  'application/pdf',
  'application/rtf',
  'application/vnd.oasis.opendocument.spreadsheet',
  'application/vnd.oasis.opendocument.text',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'audio/aac',
  'audio/mp4',
  'audio/mpeg',
  'audio/ogg',
  'audio/wav',
  'image/bmp',
  'image/gif',
  'image/heic',
  'image/jp2',
  'image/jpeg',
  'image/png',
  'image/tiff',
  'image/webp',
  'text/csv',
  'text/plain',
  'text/rtf',
  'video/mp4',
  'video/mpeg',
  'video/quicktime',
  'video/webm',
]);

/** The type of content without its parameters, in small letters. */
export const nameOfType = (contentType: string): string => contentType.split(';')[0]?.trim().toLowerCase() ?? '';
