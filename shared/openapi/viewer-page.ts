/**
 * What a browser may do on the page: nothing but ask this server. Styles may stand in elements, which the viewer makes; scripts may not.
 * https://www.w3.org/TR/CSP3/
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The page: a box for a token, a list of what is served, and the viewer, which shows one entry of the list.
 *
 * @param root - path of the server, `/api` where the gateway has a stage, else empty.
 * @param tags - headings of the document.
 */
export const viewerPage = (root: string, tags: readonly string[]): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Concord: the API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${root}/docs/swagger-ui.css">
<link rel="stylesheet" href="${root}/docs/viewer.css">
</head>
<body>
<header>
<b>Concord</b>
<label for="token">Access token</label>
<input id="token" type="password" autocomplete="off" spellcheck="false" placeholder="npm run -s token -- physician@northside.example">
<a href="${root}/openapi.json">openapi.json</a>
<a href="${root}/fhir/metadata?_pretty=true">metadata</a>
</header>
<nav aria-label="What is served">
<input id="find" type="search" placeholder="Find a type" aria-label="Find a type">
<ul>
${tags.map((tag) => `<li><a href="#${encodeURIComponent(tag)}">${tag}</a></li>`).join('\n')}
</ul>
</nav>
<main id="viewer" data-document="${root}/openapi.json"></main>
<noscript>The viewer needs JavaScript. The document itself is <a href="${root}/openapi.json">openapi.json</a>.</noscript>
<script src="${root}/docs/swagger-ui-bundle.js"></script>
<script src="${root}/docs/viewer.js"></script>
</body>
</html>
`;

/**
 * Starts the viewer. A token stays in the page, is gone with it, and goes to this server alone. Nothing is validated or loaded elsewhere, and no address may
 * say otherwise (`queryConfigEnabled` is false by itself).
 */
export const viewerScript = `const place = document.getElementById('viewer');
const token = document.getElementById('token');
const find = document.getElementById('find');
const links = [...document.querySelectorAll('nav a')];

const named = () => {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return ''; // a percent escape that is broken names nothing
  }
};
const chosen = () => named() || links[0].textContent;
const documentOf = (tag) => place.dataset.document + '?tag=' + encodeURIComponent(tag);
const mark = () => {
  for (const link of links) link.toggleAttribute('aria-current', link.textContent === chosen());
};

const ui = SwaggerUIBundle({
  domNode: place,
  url: documentOf(chosen()),
  docExpansion: 'list',
  tryItOutEnabled: true,
  validatorUrl: null,
  defaultModelsExpandDepth: -1,
  defaultModelExpandDepth: 1,
  displayRequestDuration: true,
  requestInterceptor: (request) => {
    const value = token.value.trim().replace(/^Bearer +/i, '');
    if (value !== '' && !request.loadSpec) request.headers.Authorization = 'Bearer ' + value;
    return request;
  },
});

addEventListener('hashchange', () => {
  mark();
  ui.specActions.updateUrl(documentOf(chosen()));
  ui.specActions.download(documentOf(chosen()));
  scrollTo(0, 0);
});

find.addEventListener('input', () => {
  const phrase = find.value.trim().toLowerCase();
  for (const link of links) link.parentElement.hidden = !link.textContent.toLowerCase().includes(phrase);
});
find.addEventListener('keydown', ({ key }) => {
  if (key === 'Enter') links.find((link) => !link.parentElement.hidden)?.click();
});

mark();
`;

/** What the page looks like beside the viewer's own styles. Its ways to sign in are hidden, since the token has its box, and its choice of one server. */
export const viewerStyles = `body {
  margin: 0; display: grid; grid-template: 52px 1fr / 240px minmax(0, 1fr); background: #fafafa; color: #1f2937;
  font: 14px/1.45 system-ui, sans-serif;
}
header {
  grid-column: 1 / 3; position: sticky; top: 0; z-index: 10; display: flex; align-items: center; gap: 14px; padding: 0 20px;
  background: #1f2937; color: #fff;
}
header b { font-size: 18px; margin-right: 12px; }
header a { color: #93c5fd; }
header input { flex: 1; min-width: 8em; padding: 7px 10px; border: 0; border-radius: 4px; font: 13px ui-monospace, monospace; }
nav {
  position: sticky; top: 52px; height: calc(100vh - 52px); box-sizing: border-box; overflow: auto; padding: 14px;
  background: #fff; border-right: 1px solid #d1d5db;
}
nav input { width: 100%; box-sizing: border-box; padding: 7px 10px; border: 1px solid #9ca3af; border-radius: 4px; font: inherit; }
nav ul { list-style: none; margin: 10px 0; padding: 0; }
nav a { display: block; padding: 3px 8px; border-radius: 4px; color: inherit; text-decoration: none; }
nav a:hover { background: #f3f4f6; }
nav a[aria-current] { background: #dbeafe; font-weight: 600; }
[hidden] { display: none; }
.swagger-ui .scheme-container, .swagger-ui .authorization__btn, .swagger-ui .info hgroup a { display: none; }
.swagger-ui .info { margin: 22px 0 8px; }
.swagger-ui .info .title { font-size: 26px; }
@media (max-width: 760px) {
  body { display: block; }
  header { flex-wrap: wrap; padding: 8px 14px; }
  nav { position: static; height: 30vh; }
}
`;
