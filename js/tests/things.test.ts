import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { install } from "../src/snippet/install.ts";
import { GOING, isPage, type Job, type Note } from "../src/snippet/things.ts";
import { FakeDisk, fakeWindow, freeze, pass, type Fake } from "./fake-window.ts";

const THING = { kind: "survey", id: "survey-1", pages: [], event: "", delay_s: 3, ticket: "t" };

beforeEach(freeze);
afterEach(() => mock.timers.reset());

type Api = Record<string, (...args: unknown[]) => void>;

/** A page with the snippet, to whose person the server would show `things`. */
function page(things: object[], options: object = { show: true }): { fake: Fake; api: Api } {
  const fake = fakeWindow();
  const fetched = fake.win.fetch;
  fake.win.fetch = ((url: string, init: RequestInit) =>
    url.endsWith("/things")
      ? (fake.requests.push({ url, init, body: JSON.parse(init.body as string) }),
        Promise.resolve({ json: () => Promise.resolve({ things, again_s: 600 }) }))
      : fetched(url, init)) as typeof fetch;
  const scripts: object[] = [];
  Object.assign(fake.win.document, {
    createElement: () => ({}),
    head: { appendChild: (script: object) => scripts.push(script) },
  });
  install(fake.win, null);
  const api = (fake.win as unknown as { perennial: Api }).perennial;
  api["load"]!("KEY", { host: "https://cs.example.com", ...options });
  return { fake, api };
}

const asked = (fake: Fake) => fake.requests.filter(({ url }) => url.endsWith("/things"));
const notes = (fake: Fake) => (fake.win as unknown as { perennialShow?: Note[] }).perennialShow ?? [];
const shown = (fake: Fake) =>
  notes(fake).flatMap((note) => ("thing" in note ? [note.thing.id] : []));

test("nobody is asked for before somebody is known, nor where pages do without", async () => {
  const { fake, api } = page([THING]);
  await pass(5_000);
  assert.deepEqual(asked(fake), []);
  api["identify"]!("u1", {}, { signature: "s" });
  await pass(1_000);
  assert.deepEqual(asked(fake).map(({ body }) => body), [{ key: "KEY", userId: "u1", signature: "s" }]);
  assert.equal(asked(fake)[0]!.init.credentials, "omit");
  const without = page([THING], {});
  without.api["identify"]!("u1");
  await pass(5_000);
  assert.deepEqual(asked(without.fake), []);
});

test("a thing waits its seconds, is shown once, and is asked for once in ten minutes", async () => {
  const { fake, api } = page([THING]);
  api["identify"]!("u1");
  await pass(0);
  await pass(2_900);
  assert.deepEqual(shown(fake), []);
  await pass(200);
  assert.deepEqual(shown(fake), ["survey-1"]);
  fake.win.history.pushState(null, "", "/next");
  await pass(5_000);
  assert.deepEqual([shown(fake), asked(fake).length], [["survey-1"], 1]);
  await pass(600_000);
  fake.win.history.pushState(null, "", "/later");
  await pass(5_000);
  assert.equal(asked(fake).length, 2);
});

test("who leaves the page before is not shown it there", async () => {
  const { fake, api } = page([{ ...THING, pages: ["/start"] }]);
  api["identify"]!("u1");
  await pass(1_000);
  fake.win.history.pushState(null, "", "/elsewhere");
  await pass(5_000);
  assert.deepEqual(shown(fake), []);
});

test("an event is waited for", async () => {
  const { fake, api } = page([{ ...THING, event: "Report made", delay_s: 0 }]);
  api["identify"]!("u1");
  await pass(1_000);
  api["track"]!("Other");
  await pass(1_000);
  assert.deepEqual(shown(fake), []);
  api["track"]!("Report made");
  await pass(10);
  assert.deepEqual(shown(fake), ["survey-1"]);
});

test("what one person would see is not another's, and nothing is after opting out", async () => {
  const { fake, api } = page([THING]);
  api["identify"]!("u1", {}, { signature: "s1" });
  await pass(1_000);
  api["identify"]!("u2");
  await pass(1_000);
  assert.deepEqual(asked(fake).map(({ body }) => [body["userId"], body["signature"]]), [
    ["u1", "s1"],
    ["u2", undefined],
  ]);
  api["optOut"]!();
  await pass(10_000);
  assert.deepEqual(shown(fake), []);
});

test("what stays is shown beside others, once, and waits for its element", async () => {
  const stays = { ...THING, id: "list", stays: true, delay_s: 0 };
  const { fake, api } = page([stays, { ...stays, id: "dot", selector: "#export" }, { ...THING, delay_s: 0 }]);
  let isThere = false;
  Object.assign(fake.win.document, { querySelector: () => isThere || null });
  api["identify"]!("u1");
  await pass(0);
  await pass(10);
  assert.deepEqual(shown(fake), ["list", "survey-1"]);
  isThere = true;
  fake.win.history.pushState(null, "", "/next");
  await pass(100);
  await pass(1_000);
  assert.deepEqual(shown(fake), ["list", "survey-1", "dot"]);
  api["track"]!("Report made");
  api["reset"]!();
  assert.deepEqual(notes(fake).slice(-2), [{ event: "Report made" }, { gone: true }]);
});

test("nothing else comes while something has the page for itself", async () => {
  const { fake, api } = page([{ ...THING, delay_s: 0 }]);
  (fake.win as unknown as { perennialShow: object }).perennialShow = { push: () => 0, busy: true };
  api["identify"]!("u1");
  await pass(0);
  await pass(10);
  assert.match(fake.disk.getItem("perennial:things")!, /survey-1/);
});

test("what was begun on an earlier page goes on for the same person, for half an hour", async () => {
  const job: Job = { host: "", key: "KEY", user: "u1", thing: { ...THING, id: "tour" }, show: { at: 2 } };
  const begun = async (user: string, until: number) => {
    const { fake, api } = page([]);
    const tab = FakeDisk.make();
    tab.setItem(GOING, JSON.stringify({ ...job, until }));
    Object.assign(fake.win, { sessionStorage: tab });
    api["identify"]!(user);
    await pass(0);
    return [shown(fake), fake.disk, tab.getItem(GOING) !== null, api] as const;
  };
  const [again, , isKept, api] = await begun("u1", Date.now() + 1);
  assert.deepEqual([again, isKept], [["tour"], true]);
  api["optOut"]!();
  assert.deepEqual((await begun("u2", Date.now() + 1))[0], []);
  assert.deepEqual((await begun("u1", Date.now() - 1))[0], []);
});

test("paths are matched whole, and only * stands for others", () => {
  assert.equal(isPage([], "/x"), true);
  assert.equal(isPage(["/a/*"], "/a/b/c"), true);
  assert.equal(isPage(["/a/*"], "/b/a/c"), false);
  assert.equal(isPage(["/a.b"], "/aXb"), false);
  assert.equal(isPage(["/a", "/b(c"], "/b(c"), true);
});
