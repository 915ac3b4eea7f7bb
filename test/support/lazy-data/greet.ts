/** A function that needs data for some of its requests. */
export const greet = async () => {
  const { greetings, farewell } = await import('./greetings.data.ts');
  return { greetings, farewell };
};

export const stayQuiet = async () => ({});
