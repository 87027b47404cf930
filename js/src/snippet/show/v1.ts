/**
 * The second file of the snippet, served at /snippet/v1/show.js: draws what there is to
 * show on a page of somebody else. It comes only when there is something, lives in a
 * shadow of the page, and needs nothing that a strict Content-Security-Policy forbids:
 * no markup from text, no style attribute, no script.
 */
import type { Job, Shows } from "../things.ts";
import { safely } from "../surroundings.ts";
import { showSurvey, type Survey } from "./survey.ts";
import { makeTeller } from "./teller.ts";

type Page = Window & { perennialShow?: Shows | Job[] };

/** How each kind of thing is drawn. */
const KINDS: Record<string, (shown: Survey, host: string) => void> = {
  survey: (shown, host) => showSurvey(document, shown, makeTeller(host, shown.token)),
};

const run = safely(({ host, key, thing }: Job) => {
  const body = JSON.stringify({ key, ticket: thing.ticket, language: navigator.language });
  const headers = { "Content-Type": "text/plain;charset=UTF-8" };
  fetch(`${host}/snippet/v1/claim`, { method: "POST", body, headers, credentials: "omit" })
    .then((answer) => answer.json() as Promise<{ show: (Survey & { kind: string }) | null }>)
    .then(
      safely(({ show }) => {
        if (show) KINDS[show.kind]?.(show, host);
      }),
      () => undefined, // not now: the next page asks again
    );
});

const page = window as Page;
const early = Array.isArray(page.perennialShow) ? page.perennialShow : [];
page.perennialShow = { push: run };
early.forEach(run);

// Our own builder shows a draft: nothing is sent.
const preview = document.getElementById("perennial-preview");
if (preview) {
  const drawn = JSON.parse(preview.textContent || "null") as Survey;
  showSurvey(document, drawn, () => Promise.resolve(true));
}
