/** A function without errors of its own, which loads code that borrows them. */
export const refuse = async () => (await import('./refuse.lazy.ts')).refuse();
