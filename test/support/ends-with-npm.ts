/** Lives until the npm that started it ends. */
import { whenNpmEnds } from '../../infra/local/npm-parent.ts';

whenNpmEnds(() => process.exit(0));
setInterval(() => undefined, 1_000);
console.log(process.pid);
