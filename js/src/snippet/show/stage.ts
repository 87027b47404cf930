/** What of ours is on the page, and who hears what. */
import type { Job } from "../things.ts";
import { showChecklist } from "./checklist.ts";
import type { Drawn, Guide } from "./guide.ts";
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
  const all = new Set<Drawn>();
  const tellers = makeTellers(page.defaultView!);

  function show(guide: Guide, job: Job, finished?: () => void): void {
    const tell = tellers(job.host, guide.token);
    const { form } = guide;
    const begin = (ticket: string, then: () => void): void => {
      if (guide.token) claim({ ...job, thing: begun(ticket) }, then);
    };
    if (form === "checklist") all.add(showChecklist(page, guide, job, tell, begin));
    else if (form === "resource_center") all.add(showResources(page, guide, job, tell, begin));
    else if (guide.steps.length) {
      if (!job.thing.stays) clear((each) => each.isBusy());
      const drawn: Drawn = runSteps(page, guide, job, tell, (isDone) => {
        all.delete(drawn);
        if (isDone) finished?.();
      });
      all.add(drawn);
    }
  }

  function clear(which: (each: Drawn) => boolean): void {
    for (const each of [...all].filter(which)) {
      each.close();
      all.delete(each);
    }
  }

  return {
    show,
    isBusy: () => [...all].some((each) => each.isBusy()),
    happened: (event) => all.forEach((each) => each.happened(event)),
    clear: () => clear(() => true),
  };
}

function begun(ticket: string): Job["thing"] {
  return { kind: "guide", id: ticket, pages: [], event: "", delay_s: 0, ticket };
}
