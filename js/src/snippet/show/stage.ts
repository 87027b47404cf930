/** What of ours is on the page, and who hears what. */
import type { Job } from "../things.ts";
import { showChecklist } from "./checklist.ts";
import type { Drawn, Guide } from "./guide.ts";
import type { Begin } from "./item.ts";
import { showResources } from "./resources.ts";
import { runSteps } from "./run.ts";
import { makeTellers } from "./teller.ts";

export interface Stage {
  show(guide: Guide, job: Job, finished?: () => void): void;
  isBusy(): boolean;
  happened(event: string): void;
  clear(): void;
}

type Claim = (job: Job, finished: () => void) => void;

/** `claim` asks the server for the guide that an item begins. */
export function makeStage(page: Document, claim: Claim): Stage {
  /** By the id of the thing: what the server offers once more takes its own place. */
  const all = new Map<string, Drawn>();
  const tellers = makeTellers(page.defaultView!);

  function show(guide: Guide, job: Job, finished?: () => void): void {
    const { id, stays } = job.thing;
    clear((each, name) => name === id || (!stays && each.isBusy()));
    const drawn = draw(guide, job, (isDone) => {
      all.delete(id);
      if (isDone) finished?.();
    });
    if (drawn) all.set(id, drawn);
  }

  function draw(given: Guide, job: Job, ended: (isDone: boolean) => void): Drawn | undefined {
    const guide = { ...given, name: given.title || given.name };
    const { form, token, steps } = guide;
    const tell = tellers(job.host, token);
    const begin: Begin = (ticket, finished) => {
      if (token) claim({ ...job, thing: begun(ticket) }, finished);
    };
    if (form === "checklist") return showChecklist(page, guide, job, tell, begin);
    if (form === "resource_center") return showResources(page, guide, job, tell, begin);
    return steps.length ? runSteps(page, guide, job, tell, ended) : undefined;
  }

  function clear(which: (each: Drawn, id: string) => boolean): void {
    for (const [id, each] of [...all])
      if (which(each, id)) {
        each.close();
        all.delete(id);
      }
  }

  return {
    show,
    isBusy: () => [...all.values()].some((each) => each.isBusy()),
    happened: (event) => all.forEach((each) => each.happened(event)),
    clear: () => clear(() => true),
  };
}

function begun(ticket: string): Job["thing"] {
  return { kind: "guide", id: ticket, pages: [], event: "", delay_s: 0, ticket };
}
