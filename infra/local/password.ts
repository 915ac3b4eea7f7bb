import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** Work factor. Lower than for real passwords: this one is printed at each start, and the stack shall start fast. */
const cost = 2 ** 12;
const keyLength = 32;

const derive = (password: string, salt: Buffer) =>
  new Promise<Buffer>((resolve, reject) => {
    scrypt(password, salt, keyLength, { cost }, (error, key) => (error ? reject(error) : resolve(key)));
  });

/** Salt and scrypt hash, in base64, separated by a dot. */
export const hashPassword = async (password: string): Promise<string> => {
  const salt = randomBytes(16);
  return `${salt.toString('base64')}.${(await derive(password, salt)).toString('base64')}`;
};

/** Whether the password is the one that was hashed; takes the same time either way. */
export const isPassword = async (password: string, hashed: string): Promise<boolean> => {
  const [salt = '', key = ''] = hashed.split('.');
  const expected = Buffer.from(key, 'base64');
  const actual = await derive(password, Buffer.from(salt, 'base64'));
  return expected.length === actual.length && timingSafeEqual(actual, expected);
};
