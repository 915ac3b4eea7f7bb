/** Starts a stack without functions in a process of its own, to be ended from outside. Arguments: port, data folder. */
import { CannotStart } from '../../infra/local/cannot-start.ts';
import { startConcord } from '../../infra/local/concord.ts';

const [port, dataDir = ''] = process.argv.slice(2);

try {
  const concord = await startConcord({
    port: Number(port),
    dataDir,
    seed: false,
    routes: [],
    consumers: [],
    schedule: [],
    poolFunctions: false,
  });
  console.log(JSON.stringify({ url: concord.url, dynamoDb: process.env.AWS_ENDPOINT_URL_DYNAMODB }));
} catch (error) {
  if (!(error instanceof CannotStart)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
