import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';

const require = createRequire(import.meta.url);

/** A file of Swagger UI as it is published, packed as it is sent, in base 64. https://github.com/swagger-api/swagger-ui */
const packed = (file: string): string =>
  gzipSync(readFileSync(require.resolve(`swagger-ui-dist/${file}`)), { level: 9 }).toString('base64');

export const script = packed('swagger-ui-bundle.js');
export const styles = packed('swagger-ui.css');
export const licenses = packed('swagger-ui-bundle.js.LICENSE.txt');
