import { createCipheriv, createHash, pbkdf2Sync, randomBytes } from 'node:crypto';

// A page that opens itself: it holds ciphertext alone, and what takes a passphrase and shows it, in any browser, without a network. https://www.w3.org/TR/webcrypto/

/** Rounds by which a passphrase becomes a key. https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#pbkdf2 */
const rounds = 600_000;
/** Letters that a passphrase has at least. */
export const shortestPassphrase = 16;

/** A key made of a passphrase once, for all pages of a pack. */
export interface PackKey {
  readonly key: Buffer;
  readonly salt: Buffer;
}

/** @throws Error for a passphrase that is too short to keep anything. */
export const packKey = (passphrase: string): PackKey => {
  if (passphrase.length < shortestPassphrase)
    throw new Error(`A passphrase has at least ${shortestPassphrase} letters`);
  const salt = randomBytes(16);
  return { key: pbkdf2Sync(passphrase, salt, rounds, 32, 'sha256'), salt };
};

const script = `
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const form = document.querySelector('form');
const hours = () => (Date.now() - Date.parse(document.body.dataset.made)) / 3600000;
const tell = () => {
  document.querySelector('#age').textContent = Math.max(0, Math.floor(hours())) + ' hours old';
  document.body.className = hours() >= 24 ? 'stale' : '';
};
tell();
setInterval(tell, 60000);
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { salt, iv, sealed } = document.body.dataset;
  const phrase = new TextEncoder().encode(form.passphrase.value);
  try {
    const raw = await crypto.subtle.importKey('raw', phrase, 'PBKDF2', false, ['deriveKey']);
    const how = { name: 'PBKDF2', hash: 'SHA-256', salt: bytes(salt), iterations: ${rounds} };
    const key = await crypto.subtle.deriveKey(how, raw, { name: 'AES-GCM', length: 256 }, false, ['decrypt']);
    const made = new TextEncoder().encode(document.body.dataset.made);
    const opened = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: bytes(iv), additionalData: made }, key, bytes(sealed));
    document.querySelector('main').innerHTML = new TextDecoder().decode(opened);
    form.remove();
  } catch {
    document.querySelector('#wrong').hidden = false;
  }
});
`;

const style = `
body { font: 16px/1.4 system-ui, sans-serif; margin: 0 auto; max-width: 60em; padding: 0 1em 4em; color: #111; background: #fff }
header { position: sticky; top: 0; background: #fff3c4; padding: .5em 1em; border-bottom: 2px solid #8a6d00; font-weight: 600 }
.stale header { background: #ffd6d6; border-color: #a00000 }
article { border-top: 3px solid #111; margin-top: 2em; break-before: page }
.made { font-weight: 600 } li { margin: .2em 0 }
@media print { header { position: static } }
`;

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
// Nothing that a chart says is ever run, and nothing leaves the page. https://www.w3.org/TR/CSP3/
const policy = `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; base-uri 'none'; form-action 'none'`;

/**
 * A page that shows what is sealed in it to whoever has the passphrase.
 *
 * @param content - HTML, made of escaped texts alone.
 * @param made - when it was made, in milliseconds since 1970: stands on the page unsealed, and cannot be changed without that being told.
 */
export const sealedPage = ({ key, salt }: PackKey, content: string, made: number): string => {
  const time = new Date(made).toISOString();
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(time));
  const sealed = Buffer.concat([cipher.update(content, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<title>Downtime pack</title><style>${style}</style></head>
<body data-made="${time}" data-salt="${salt.toString('base64')}" data-iv="${iv.toString('base64')}" data-sealed="${sealed.toString('base64')}">
<header>As of ${time}, <span id="age"></span>. Read-only: what was written since is not here.</header>
<form><p><label>Passphrase <input name="passphrase" type="password" autocomplete="off" required></label> <button>Open</button></p>
<p id="wrong" hidden>This passphrase does not open the pack, or the pack was changed.</p></form>
<main></main><script>${script}</script></body></html>
`;
};
