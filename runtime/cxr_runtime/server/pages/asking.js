"use strict";
/* What the page asks of the server, and what it says where the server refuses or does not answer. */

const ASK_MS = 20000; // that an answer may take

const page = document.body.dataset;
const labels = JSON.parse(document.getElementById("labels").textContent);
const browserWindow = crypto.randomUUID();

/** `status` is the server's; 0 where nothing came. */
class Refusal extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }

  /** Whether the server cannot work, rather than does not want to. */
  get isAway() {
    return this.status === 0 || this.status >= 500;
  }
}

/** An answer, once all of it has come: it may also fall silent in its middle. */
async function whole(asked) {
  const answer = await asked;
  return new Response(await answer.blob(), { status: answer.status, headers: answer.headers });
}

async function ask(address, { limit = ASK_MS, ...options } = {}) {
  const answer = await whole(fetch(address, { ...options, signal: AbortSignal.timeout(limit) })).catch(() => null);
  if (!answer) throw new Refusal(labels.away, 0);
  if (answer.status === 401) sayLogIn(await answer.clone().text());
  else document.getElementById("log-in")?.remove();
  if (!answer.ok) throw new Refusal((await answer.text()).trim() || `status ${answer.status}`, answer.status);
  return answer;
}

/** Ask for something to be done, in the reader's name. */
async function act(address, content = null, options = {}) {
  const send = () => {
    const headers = { "x-cxr-token": page.token, "x-cxr-window": browserWindow };
    if (content) headers["content-type"] = "application/json";
    return ask(address, { method: "POST", headers, body: content && JSON.stringify(content), ...options });
  };
  try {
    return await send();
  } catch (error) {
    if (error.status !== 403 || !(await isRenewed())) throw error;
    return send();
  }
}

/** Whether the same reader has logged in again, in another window; this page then acts in that session. */
async function isRenewed() {
  const answer = await ask("/", { headers: { accept: "text/html" } });
  const { reader, token } = new DOMParser().parseFromString(await answer.text(), "text/html").body.dataset;
  if (!token || token === page.token || reader !== page.reader) return false;
  page.token = token;
  return true;
}

/** A way to the login that leaves this page, and a note that is being written, as they are. */
function sayLogIn(words) {
  if (document.getElementById("log-in")) return;
  const link = element("a", "", words);
  Object.assign(link, { href: `/login?${new URLSearchParams({ back: location.search.slice(1) })}`, target: "_blank", rel: "noopener" });
  const shown = element("p", "open-by");
  shown.id = "log-in";
  shown.setAttribute("role", "alert");
  shown.append(link);
  document.getElementById("verdict").before(shown);
}
