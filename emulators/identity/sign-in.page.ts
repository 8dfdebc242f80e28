import { type DemoPerson } from './people';

const STYLE = `body{font:16px system-ui,sans-serif;margin:10vh auto;max-width:26rem;padding:0 1rem;color:#1c2430}
h1{font-size:1.3rem}p{color:#5a6675}button{display:block;width:100%;margin:.4rem 0;padding:.7rem 1rem;text-align:left;
font:inherit;border:1px solid #c9d2dc;border-radius:.4rem;background:#fff;cursor:pointer}button:hover{background:#eef4fb}
small{color:#5a6675;display:block}`;

/** A button for each demo person; no password, and it says so. */
export function signInPage(uid: string, people: readonly DemoPerson[]): string {
  const buttons = people
    .map(
      ({ email, name }) =>
        `<button name="user" value="${escape(email)}">${escape(name)}<small>${escape(email)}</small></button>`,
    )
    .join('\n');
  return page(
    'Sign in to Atrium',
    `<p>This is a stand-in for an identity provider. It runs on this machine only and asks for no password.</p>
<form method="post" action="/interaction/${escape(uid)}">
${buttons}
</form>`,
  );
}

export function messagePage(title: string, message: string): string {
  return page(title, `<p>${escape(message)}</p>`);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(title)}</title><style>${STYLE}</style></head>
<body><h1>${escape(title)}</h1>
${body}
</body></html>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
