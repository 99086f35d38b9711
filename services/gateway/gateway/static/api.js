// Talks to the REST interface. The session is a cookie that scripts cannot read.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const gone = [];
/** Called when the session has ended. */
export const onSignedOut = (call) => gone.push(call);

async function call(method, path, body) {
  let answer;
  try {
    answer = await fetch(`/api/${path}`, {
      method,
      headers: method === "GET" ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
  } catch {
    throw new ApiError(0, "The gateway cannot be reached.");
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  let detail = answer.statusText;
  try {
    detail = (await answer.json()).detail ?? detail;
  } catch { /* no problem document: the status has to do */ }
  if (answer.status === 401 && !path.startsWith("auth/session")) gone.forEach((each) => each());
  throw new ApiError(answer.status, detail);
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body ?? {});
export const put = (path, body) => call("PUT", path, body);
export const items = async (path) => (await get(path)).items;
export const part = (text) => encodeURIComponent(text);
