/**
 * The third file of the snippet, served at /snippet/v1/pick.js: a member of the team
 * points at the element of a guide, in the team's own product. It comes only by a link
 * from the builder, whose token says for which step, and stays in this tab until done.
 */
import { safely } from "../surroundings.ts";
import { startPicker, type Task } from "./picker.ts";

const NAME = "perennial-pick";
const RESTS = `${NAME}-rests`;
const headers = { "Content-Type": "text/plain;charset=UTF-8" };

function post(path: string, said: object): Promise<Response> {
  const body = JSON.stringify(said);
  return fetch(`${host}/snippet/v1/${path}`, { method: "POST", body, headers, credentials: "omit" });
}

/** The token leaves the address at once, so that nobody shares it by accident. */
function takeToken(): string {
  const [, given] = new RegExp(`^#${NAME}=(.+)$`).exec(location.hash) || [];
  if (!given) return sessionStorage.getItem(NAME) || "";
  safely(() => sessionStorage.setItem(NAME, given))();
  history.replaceState(history.state, "", location.pathname + location.search);
  return given;
}

const source = (document.currentScript as HTMLScriptElement).src;
const host = source.replace(/\/snippet\/v1\/pick\.js.*$/, "");

safely(() => {
  const token = takeToken();
  const forget = safely(() => [NAME, RESTS].forEach((name) => sessionStorage.removeItem(name)));
  post("pick", { token })
    .then((answer) => (answer.ok ? (answer.json() as Promise<Task>) : Promise.reject(answer)))
    .then(
      safely((task) =>
        startPicker(document, task, {
          send: (found) =>
            post("picked", { token, page: location.pathname, ...found }).then(
              (answer) => answer.ok,
              () => false,
            ),
          ended: forget,
          rests: sessionStorage.getItem(RESTS) === "yes",
          remember: safely((rests) => sessionStorage.setItem(RESTS, rests ? "yes" : "no")),
        }),
      ),
      forget,
    );
})();
