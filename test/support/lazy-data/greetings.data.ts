// What the tests of data beside a function read: long enough that packing it shows.
export const greetings = `${'Good day, "Zürich"\n'.repeat(200)}\\ and a last line`;
export const farewell = 'Adieu';
