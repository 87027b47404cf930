/** A guide of several steps goes on after the page was loaded anew, in this tab. */
import { GOING, type Job } from "../things.ts";
import { safely } from "../surroundings.ts";
import type { Guide } from "./guide.ts";

const LIVES_MS = 30 * 60_000;

export const keepGoing = safely((view: Window, job: Job, guide: Guide, at: number) => {
  const until = Date.now() + LIVES_MS;
  view.sessionStorage.setItem(GOING, JSON.stringify({ ...job, show: { ...guide, at }, until }));
});

export const stopGoing = safely((view: Window) => view.sessionStorage.removeItem(GOING));
