/**
 * The second file of the snippet, served at /snippet/v1/show.js: draws what there is to
 * show on a page of somebody else. It comes only when there is something, lives in a
 * shadow of the page, and needs nothing that a strict Content-Security-Policy forbids:
 * no markup from text, no style attribute, no script.
 */
import type { Job, Note, Shows } from "../things.ts";
import { safely } from "../surroundings.ts";
import type { Guide } from "./guide.ts";
import { makeStage } from "./stage.ts";
import { showSurvey, type Survey } from "./survey.ts";
import { makeTeller } from "./teller.ts";

type Page = Window & { perennialShow?: Shows | Note[] };
type Shown = { kind: string } & (Survey | Guide);
type Finished = () => void;

const stage = makeStage(document, claim);

/** How each kind of thing is drawn. */
const KINDS: Record<string, (shown: Shown, job: Job, finished?: Finished) => void> = {
  survey: (shown, { host }) => showSurvey(document, shown as Survey, makeTeller(host, shown.token)),
  guide: (shown, job, finished) => stage.show(shown as Guide, job, finished),
};

function draw(shown: Shown | null, job: Job, finished?: Finished): void {
  if (shown) KINDS[shown.kind]?.(shown, job, finished);
}

function claim(job: Job, finished?: Finished): void {
  const { host, key, thing } = job;
  const body = JSON.stringify({ key, ticket: thing.ticket, language: navigator.language });
  const headers = { "Content-Type": "text/plain;charset=UTF-8" };
  fetch(`${host}/snippet/v1/claim`, { method: "POST", body, headers, credentials: "omit" })
    .then((answer) => answer.json() as Promise<{ show: Shown | null }>)
    .then(
      safely(({ show }) => draw(show, job, finished)),
      () => undefined, // not now: the next page asks again
    );
}

/** The survey that is on the page. */
const asked = (): Element | null => document.querySelector("perennial-box");

const run = safely((note: Note) => {
  if ("gone" in note) {
    stage.clear();
    asked()?.remove();
  } else if ("event" in note) stage.happened(note.event);
  else if (note.show) draw(note.show as Shown, note);
  else claim(note);
});

const page = window as Page;
const early = Array.isArray(page.perennialShow) ? page.perennialShow : [];
page.perennialShow = {
  push: run,
  get busy() {
    return stage.isBusy() || !!asked();
  },
};
early.forEach(run);

// Our own builder shows a draft: nothing is sent.
const preview = document.getElementById("perennial-preview");
if (preview) {
  const drawn = JSON.parse(preview.textContent || "null") as Shown;
  if (drawn.kind === "guide") stage.show(drawn as Guide, previewed());
  else showSurvey(document, drawn as Survey, () => Promise.resolve(true));
}

function previewed(): Job {
  const thing = { kind: "guide", id: "", pages: [], event: "", delay_s: 0, ticket: "" };
  return { host: "", key: "", user: "", thing };
}
