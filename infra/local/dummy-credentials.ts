/**
 * What the unmodified AWS clients need to sign a request. Of the embedded services only the object store checks the signature. An
 * account that the developer is signed in to must not be reached by mistake.
 */
export const dummyCredentials = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
} as const;

/** Puts them into the environment of this process and removes what would win over them. */
export const useDummyCredentials = (environment: NodeJS.ProcessEnv = process.env) => {
  delete environment.AWS_PROFILE;
  delete environment.AWS_SESSION_TOKEN;
  Object.assign(environment, dummyCredentials);
};
