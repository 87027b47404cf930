import { openBox } from "./box.ts";
import { make } from "./dom.ts";
import type { Teller } from "./teller.ts";

interface FollowUp {
  id: string;
  kind: "text" | "choice";
  from: number;
  to: number;
  ask: string;
  options: string[];
}

/** A survey in one language, as the server gives it. */
export interface Survey {
  token: string;
  language: string;
  direction: string;
  question: string;
  low: string;
  high: string;
  scores: number[];
  follow_ups: FollowUp[];
  thanks: { from: number; to: number; text: string }[];
  words: { send: string; close: string; thanks: string; failed: string };
}

const STAYS_MS = 6_000;

/**
 * Question, what follows the score, thanks. The score is told as soon as it is given;
 * another one may be chosen as long as the box is open.
 */
export function showSurvey(page: Document, survey: Survey, tell: Teller): void {
  let score: number | undefined;
  const box = openBox(page, {
    label: survey.question,
    language: survey.language,
    direction: survey.direction,
    onClose: close,
  });
  const below = make(page, "div");
  const problem = make(page, "p", { class: "problem", role: "alert" });
  problem.hidden = true;

  function close(): void {
    if (score === undefined) void tell({ refused: true });
    box.close();
  }

  function told(said: Record<string, unknown>, then: () => void): void {
    void tell({ score, ...said }).then((isTaken) => {
      problem.hidden = isTaken;
      problem.textContent = survey.words.failed;
      if (isTaken) then();
    });
  }

  function choose(chosen: number): void {
    score = chosen;
    for (const button of scores.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(button.textContent === String(chosen)));
    const follow = survey.follow_ups.filter(({ from, to }) => from <= chosen && chosen <= to);
    if (follow.length) told({}, () => ask(follow));
    else told({ done: true }, thank);
  }

  function ask(follow: FollowUp[]): void {
    const form = make(page, "form");
    const send = make(page, "button", { class: "main", type: "submit" }, survey.words.send);
    form.append(...follow.map((each) => field(page, each)), send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      told({ answers: answersOf(form), done: true }, thank);
    });
    below.replaceChildren(form);
    form.querySelector<HTMLElement>("textarea, input")?.focus();
  }

  function thank(): void {
    const found = survey.thanks.find(({ from, to }) => from <= score! && score! <= to);
    const said = make(page, "p", { role: "status" }, found?.text || survey.words.thanks);
    head.replaceChildren(said, cross);
    scores.remove();
    ends.remove();
    below.replaceChildren();
    cross.focus();
    setTimeout(box.close, STAYS_MS);
  }

  const cross = make(page, "button", { class: "close", type: "button", "aria-label": survey.words.close }, "×");
  cross.addEventListener("click", close);
  const head = make(page, "div", { class: "head" });
  head.append(make(page, "h2", {}, survey.question), cross);
  const scores = make(page, "div", { class: "scores", role: "group", "aria-label": survey.question });
  for (const each of survey.scores) {
    const button = make(page, "button", { type: "button", "aria-pressed": "false" }, String(each));
    button.addEventListener("click", () => choose(each));
    scores.append(button);
  }
  const ends = make(page, "div", { class: "ends" });
  ends.append(make(page, "span", {}, survey.low), make(page, "span", {}, survey.high));
  box.body.append(head, scores, ends, problem, below);
}

function field(page: Document, each: FollowUp): HTMLElement {
  const name = `perennial-${each.id}`;
  if (each.kind === "text") {
    const whole = make(page, "div");
    const area = make(page, "textarea", { id: name, name: each.id, maxlength: "5000" });
    whole.append(make(page, "label", { for: name }, each.ask), area);
    return whole;
  }
  const whole = make(page, "fieldset");
  whole.append(make(page, "legend", {}, each.ask));
  each.options.forEach((text, place) => {
    const label = make(page, "label", { class: "option" });
    label.append(make(page, "input", { type: "radio", name: each.id, value: String(place) }), text);
    whole.append(label);
  });
  return whole;
}

function answersOf(form: HTMLFormElement): Record<string, string> {
  const found: Record<string, string> = {};
  new FormData(form).forEach((value, name) => {
    if (typeof value === "string" && value) found[name] = value;
  });
  return found;
}
