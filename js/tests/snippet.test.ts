import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { install } from "../src/snippet/install.ts";
import { makeQueue } from "../src/snippet/queue.ts";
import { makeStore } from "../src/snippet/store.ts";
import type { Options } from "../src/snippet/surroundings.ts";
import { FakeDisk, fakeLocks, fakeWindow, freeze, pass, type Fake, type Message } from "./fake-window.ts";

const MINUTE = 60_000;
const QUIET = { pages: false };

beforeEach(freeze);
afterEach(() => mock.timers.reset());

type Api = Record<string, (...args: unknown[]) => void> & unknown[];

function apiOf(fake: Fake): Api {
  return (fake.win as unknown as { perennial: Api }).perennial;
}

function started(fake: Fake, options: Partial<Options> = QUIET): Api {
  install(fake.win, null);
  apiOf(fake)["load"]!("KEY", { host: "https://cs.example.com/", ...options });
  return apiOf(fake);
}

function messages({ requests }: Fake): Message[] {
  return requests.flatMap((request) => request.body["batch"] as Message[]);
}

function kept(fake: Fake, what = ""): string[] {
  return Object.keys(fake.disk).filter((name) => name.startsWith(`perennial:${what}`));
}

const events = (fake: Fake): unknown[] => messages(fake).map((message) => message["event"]);

test("calls go out together, in order, as one request without a preflight", async () => {
  const fake = fakeWindow();
  const api = started(fake);
  api["identify"]!("u1", { email: "ann@a.example" });
  api["group"]!("a1", { name: "Alpha" });
  api["track"]!("Report made", { rows: 3 });
  await pass(2_000);
  assert.equal(fake.requests.length, 1);
  const { url, init, body } = fake.requests[0]!;
  assert.equal(url, "https://cs.example.com/v1/batch");
  assert.deepEqual(init.headers, { "Content-Type": "text/plain;charset=UTF-8" });
  assert.equal(init.credentials, "omit");
  assert.equal(body["writeKey"], "KEY");
  const [identify, group, track] = body["batch"] as Message[];
  assert.deepEqual([identify!["type"], identify!["userId"]], ["identify", "u1"]);
  assert.deepEqual(identify!["traits"], { email: "ann@a.example" });
  assert.equal(identify!["context"].groupId, undefined);
  assert.deepEqual([group!["groupId"], group!["traits"]], ["a1", { name: "Alpha" }]);
  assert.equal(track!["event"], "Report made");
  assert.deepEqual(track!["properties"], { rows: 3 });
  assert.equal(track!["context"].groupId, "a1");
  assert.equal(new Set([identify, group, track].map((m) => m!["messageId"])).size, 3);
  assert.equal(new Set([identify, group, track].map((m) => m!["anonymousId"])).size, 1);
  assert.deepEqual(kept(fake, "queue"), []);
});

test("a message says where and with what it was made", async () => {
  const fake = fakeWindow();
  started(fake)["track"]!("x");
  await pass(2_000);
  const { context, timestamp } = messages(fake)[0]!;
  assert.equal(timestamp, "2026-01-15T12:00:00.000Z");
  assert.deepEqual(context.page, {
    path: "/start",
    search: "?utm_source=mail",
    url: "https://app.example.com/start?utm_source=mail",
    referrer: "https://search.example/",
    title: "Start",
  });
  assert.deepEqual(context.campaign, { source: "mail" });
  assert.deepEqual(context.screen, { width: 1440, height: 900, density: 2 });
  assert.equal(context.library.name, "perennial.js");
  assert.equal(context.locale, "sv-SE");
  assert.ok(context.timezone && context.userAgent && context.sessionId);
});

test("another account for one message alone", async () => {
  const fake = fakeWindow();
  const api = started(fake);
  api["group"]!("a1");
  api["track"]!("x", {}, { context: { groupId: "a2" } });
  api["track"]!("y");
  await pass(2_000);
  assert.deepEqual(messages(fake).map((m) => m["context"].groupId), ["a1", "a2", "a1"]);
});

test("twenty messages are sent at once, a hundred at most in a request", async () => {
  const fake = fakeWindow();
  const api = started(fake);
  for (let at = 0; at < 19; at += 1) api["track"]!(`e${at}`);
  await pass();
  assert.equal(fake.requests.length, 0);
  for (let at = 19; at < 250; at += 1) api["track"]!(`e${at}`);
  await pass();
  const sizes = fake.requests.map((request) => (request.body["batch"] as unknown[]).length);
  assert.ok(Math.max(...sizes) <= 100);
  assert.deepEqual(events(fake), Array.from({ length: 250 }, (_, at) => `e${at}`));
});

test("large messages are sent at once; only small requests outlive the page", async () => {
  const fake = fakeWindow();
  const api = started(fake);
  for (let at = 0; at < 10; at += 1) api["track"]!(`e${at}`, { text: "x".repeat(20_000) });
  await pass();
  assert.equal(messages(fake).length, 10);
  api["track"]!("small");
  await pass(2_000);
  const sizes = fake.requests.map(({ init }) => (init.body as string).length);
  assert.ok(Math.max(...sizes) > 64_000 && Math.min(...sizes) < 64_000, sizes.join());
  for (const { init } of fake.requests)
    assert.equal(init.keepalive, (init.body as string).length < 60_500);
});

test("a message that is too large or cannot be written is left out, alone", async () => {
  const fake = fakeWindow();
  const api = started(fake);
  const round: Message = {};
  round["self"] = round;
  api["track"]!("round", round);
  api["track"]!("huge", { text: "x".repeat(40_000) });
  api["track"]!("big", { n: 1n });
  api["track"]!();
  api["group"]!();
  api["track"]!("fine");
  await pass(2_000);
  assert.deepEqual(events(fake), ["fine"]);
});

test("a server that is down is asked again, less and less often, until it is back", async () => {
  const fake = fakeWindow();
  fake.server.reply = "down";
  started(fake)["track"]!("x");
  await pass(2_000);
  for (let minute = 0; minute < 30; minute += 1) await pass(MINUTE);
  const tries = fake.requests.length;
  assert.ok(tries >= 10 && tries <= 25, `${tries} tries in half an hour`);
  fake.server.reply = { status: 200 };
  for (let minute = 0; minute < 6; minute += 1) await pass(MINUTE);
  assert.equal(fake.requests.length, tries + 1);
  const ids = new Set(messages(fake).map((message) => message["messageId"]));
  assert.equal(ids.size, 1);
  const sent = fake.requests.map((request) => request.body["sentAt"] as string);
  assert.equal(new Set(sent).size, sent.length, "sentAt is of each attempt");
  assert.equal(messages(fake).at(-1)!["timestamp"], "2026-01-15T12:00:00.000Z");
  assert.deepEqual(kept(fake, "pause"), []);
});

test("a server that never answers is given up after half a minute", async () => {
  const fake = fakeWindow();
  fake.server.reply = "never";
  started(fake)["track"]!("x");
  await pass(2_000);
  fake.server.reply = { status: 200 };
  await pass(30_000);
  await pass(1_000);
  assert.equal(fake.requests.length, 2);
});

test("Retry-After is honored, by the next page and by a leaving one too", async () => {
  const locks = fakeLocks();
  const fake = fakeWindow({ locks });
  fake.server.reply = { status: 429, retryAfter: "100" };
  started(fake)["track"]!("x");
  await pass(2_000);
  fake.server.reply = { status: 200 };
  const next = fakeWindow({ disk: fake.disk, locks });
  started(next)["track"]!("y");
  next.emit("pagehide");
  next.emit("online");
  await pass(99_000);
  assert.equal(fake.requests.length + next.requests.length + next.beacons.length, 1);
  await pass(12_000);
  await pass(2_000);
  const later = [...fake.requests.slice(1), ...next.requests];
  const names = later.flatMap((r) => (r.body["batch"] as Message[]).map((m) => m["event"]));
  assert.deepEqual(names, ["x", "y"]);
});

test("what the server refuses for good is dropped", async () => {
  const fake = fakeWindow();
  fake.server.reply = { status: 401 };
  started(fake)["track"]!("x");
  await pass(2_000);
  await pass(10 * MINUTE);
  assert.equal(fake.requests.length, 1);
  assert.deepEqual(kept(fake, "queue"), []);
});

test("nothing is tried offline, and everything at once when back", async () => {
  const fake = fakeWindow({ navigator: { onLine: false } });
  const api = started(fake);
  api["track"]!("x");
  fake.emit("pagehide");
  await pass(10 * MINUTE);
  assert.equal(fake.requests.length + fake.beacons.length, 0);
  Object.assign(fake.win.navigator, { onLine: true });
  fake.emit("online");
  await pass();
  assert.deepEqual(events(fake), ["x"]);
});

test("the oldest go when a thousand wait, or a million characters", () => {
  const disk = FakeDisk.make();
  const store = makeStore(fakeWindow({ disk }).win);
  store.attach();
  const queue = makeQueue(store, "KEY");
  for (let at = 0; at < 1_010; at += 1) queue.add(String(at), `"${at}"`);
  const waiting = queue.list().map((entry) => Number(JSON.parse(entry.text)));
  assert.deepEqual(waiting, Array.from({ length: 909 }, (_, at) => 101 + at));
  for (let at = 0; at < 50; at += 1) queue.add(`big${at}`, "x".repeat(30_000));
  const chars = queue.list().reduce((sum, entry) => sum + entry.text.length, 0);
  assert.ok(chars >= 870_000 && chars <= 1_000_000, `${chars}`);
  assert.equal(kept({ disk } as Fake, "queue").length, queue.list().length);
});

test("order is kept when the clock is set back", async () => {
  const fake = fakeWindow();
  const api = started(fake);
  api["track"]!("first");
  const clock = mock.method(Date, "now", () => Date.UTC(2020, 0, 1));
  api["track"]!("second");
  clock.mock.restore();
  await pass(2_000);
  assert.deepEqual(events(fake), ["first", "second"]);
});

test("a page that goes hands its messages to the browser, and the next one makes sure", async () => {
  const fake = fakeWindow();
  const api = started(fake);
  api["track"]!("x");
  fake.emit("pagehide");
  Object.assign(fake.win.document, { visibilityState: "hidden" });
  fake.emit("visibilitychange");
  assert.equal(fake.beacons.length, 1);
  assert.equal(fake.requests.length, 0);
  const next = fakeWindow({ disk: fake.disk });
  started(next);
  await pass(2_000);
  assert.deepEqual(messages(next), fake.beacons[0]!["batch"]);
});

test("a hidden page sends at once, and once", async () => {
  const fake = fakeWindow();
  started(fake)["track"]!("x");
  Object.assign(fake.win.document, { visibilityState: "hidden" });
  fake.emit("visibilitychange");
  assert.equal(fake.requests[0]!.init.keepalive, true);
  await pass(MINUTE);
  assert.equal(fake.requests.length, 1);
});

for (const kind of ["locks", "lease"]) {
  test(`tabs share what waits and send it once (${kind})`, async () => {
    const disk = FakeDisk.make();
    const locks = kind === "locks" ? fakeLocks() : null;
    const tabs = [1, 2, 3].map(() => fakeWindow({ disk, locks }));
    const apis = tabs.map((tab) => started(tab));
    apis.forEach((api, at) => {
      for (let n = 0; n < 15; n += 1) api["track"]!(`${at}/${n}`);
    });
    await pass(2_000);
    await pass(2_000);
    const all = tabs.flatMap(messages);
    assert.equal(all.length, 45);
    assert.equal(new Set(all.map((message) => message["messageId"])).size, 45);
    assert.equal(new Set(all.map((message) => message["anonymousId"])).size, 1);
    assert.equal(new Set(all.map((message) => message["context"].sessionId)).size, 1);
  });
}

test("a tab that dies while it sends leaves nothing undone", async () => {
  const disk = FakeDisk.make();
  const dying = fakeWindow({ disk, locks: null });
  dying.server.reply = "never";
  started(dying)["track"]!("x");
  await pass(2_000);
  const other = fakeWindow({ disk, locks: null });
  started(other)["track"]!("y");
  await pass(2_000);
  assert.equal(other.requests.length, 0, "the lease is held");
  mock.timers.setTime(Date.now() + 40_000);
  await pass(2_000);
  assert.deepEqual(events(other), ["x", "y"]);
});

test("without storage everything works from memory", async () => {
  const fake = fakeWindow({ disk: "denied" });
  const api = started(fake);
  api["identify"]!("u1");
  api["track"]!("x");
  await pass(2_000);
  assert.deepEqual(messages(fake).map((message) => message["userId"]), ["u1", "u1"]);
  assert.equal(new Set(messages(fake).map((message) => message["anonymousId"])).size, 1);
});

test("a storage that the page has filled is left as it is", async () => {
  const disk = FakeDisk.make(600);
  disk.setItem("page", "x".repeat(550));
  const fake = fakeWindow({ disk });
  const api = started(fake);
  for (let at = 0; at < 5; at += 1) api["track"]!(`e${at}`);
  await pass(2_000);
  assert.deepEqual(events(fake), ["e0", "e1", "e2", "e3", "e4"]);
  assert.equal(new Set(messages(fake).map((message) => message["anonymousId"])).size, 1);
});

test("a storage that does not forget does not make it send for ever", async () => {
  const fake = fakeWindow();
  Object.defineProperty(fake.disk, "removeItem", { value: () => undefined, enumerable: false });
  started(fake)["track"]!("x");
  await pass(2_000);
  assert.equal(fake.requests.length, 1);
});

for (const [name, navigator] of Object.entries({
  "Do Not Track": { doNotTrack: "1" },
  "Global Privacy Control": { globalPrivacyControl: true },
})) {
  test(`${name}: nothing is sent and nothing kept, not even what was before`, async () => {
    const disk = FakeDisk.make();
    disk.setItem("perennial:userId", "u1");
    const fake = fakeWindow({ disk, navigator });
    const api = started(fake, {});
    api["identify"]!("u1");
    api["optIn"]!();
    api["track"]!("x");
    api["flush"]!();
    fake.emit("pagehide");
    await pass(10 * MINUTE);
    assert.equal(fake.requests.length + fake.beacons.length, 0);
    assert.deepEqual(kept(fake), []);
  });
}

test("a signal that is off is no signal", async () => {
  for (const navigator of [{ doNotTrack: "0" }, { doNotTrack: "unspecified" }, { globalPrivacyControl: false }]) {
    const fake = fakeWindow({ navigator });
    started(fake)["track"]!("x");
    await pass(2_000);
    assert.deepEqual(events(fake), ["x"]);
  }
});

test("optOut forgets all, in every tab and for later pages; optIn begins anew", async () => {
  const disk = FakeDisk.make();
  const [here, there] = [fakeWindow({ disk }), fakeWindow({ disk })];
  const [api, other] = [started(here), started(there)];
  api["identify"]!("u1");
  other["track"]!("there");
  api["optOut"]!();
  api["track"]!("x");
  other["track"]!("y");
  const later = fakeWindow({ disk });
  started(later)["track"]!("z");
  await pass(MINUTE);
  assert.equal(here.requests.length + there.requests.length + later.requests.length, 0);
  assert.deepEqual(kept(here), ["perennial:consent"]);
  api["optIn"]!();
  api["track"]!("again");
  await pass(2_000);
  assert.deepEqual(events(here), ["again"]);
  assert.equal(messages(here)[0]!["userId"], undefined);
});

test("consent required: kept in memory alone until optIn, remembered after", async () => {
  const disk = FakeDisk.make();
  const fake = fakeWindow({ disk });
  const api = started(fake, { consent: "required" });
  api["track"]!("before");
  fake.emit("pagehide");
  await pass(MINUTE);
  assert.equal(fake.requests.length + fake.beacons.length, 0);
  assert.deepEqual(kept(fake), []);
  api["optIn"]!();
  api["track"]!("after");
  await pass(2_000);
  const said = messages(fake);
  assert.deepEqual(said.map((message) => message["event"] ?? message["type"]), ["page", "before", "after"]);
  assert.equal(said[1]!["timestamp"], "2026-01-15T12:00:00.000Z");
  const later = fakeWindow({ disk });
  started(later, { consent: "required", ...QUIET })["track"]!("later");
  await pass(2_000);
  assert.deepEqual(events(later), ["later"]);
  assert.equal(messages(later)[0]!["anonymousId"], said[0]!["anonymousId"]);
});

test("reset makes a new visitor, also when somebody else signs in without it", async () => {
  const fake = fakeWindow();
  const api = started(fake);
  api["identify"]!("u1");
  api["group"]!("a1");
  api["reset"]!();
  api["track"]!("anonymous");
  api["identify"]!("u2");
  api["group"]!("a2");
  api["identify"]!("u3");
  await pass(2_000);
  const [ann, , between, bob, , eve] = messages(fake) as Message[];
  assert.equal(between!["userId"], undefined);
  assert.equal(between!["context"].groupId, undefined);
  assert.notEqual(between!["anonymousId"], ann!["anonymousId"]);
  assert.notEqual(between!["context"].sessionId, ann!["context"].sessionId);
  assert.equal(bob!["anonymousId"], between!["anonymousId"]);
  assert.notEqual(eve!["anonymousId"], bob!["anonymousId"]);
  assert.equal(eve!["context"].groupId, undefined);
});

test("alias links who one was to who one is", async () => {
  const fake = fakeWindow();
  const api = started(fake);
  api["alias"]!("u1");
  api["alias"]!("u2", "old");
  await pass(2_000);
  const [first, second] = messages(fake);
  assert.deepEqual([first!["userId"], first!["previousId"]], ["u1", first!["anonymousId"]]);
  assert.deepEqual([second!["userId"], second!["previousId"]], ["u2", "old"]);
});

test("a session lasts until half an hour without a message", async () => {
  const fake = fakeWindow();
  const api = started(fake);
  const minutes = [0, 29, 29, 31];
  for (const wait of minutes) {
    await pass(wait * MINUTE);
    api["track"]!("x");
  }
  await pass(2_000);
  const [a, b, c, d] = messages(fake).map((message) => message["context"].sessionId as string);
  assert.ok(a === b && b === c);
  assert.notEqual(c, d);
});

test("sessions can be switched off", async () => {
  const fake = fakeWindow();
  started(fake, { pages: false, sessions: false })["track"]!("x");
  await pass(2_000);
  assert.equal(messages(fake)[0]!["context"].sessionId, undefined);
  assert.deepEqual(kept(fake, "session"), []);
});

test("views of a single-page app: only when path or search change", async () => {
  const fake = fakeWindow({ url: "https://app.example.com/a" });
  started(fake, {});
  const { history } = fake.win;
  history.pushState(null, "", "/a#part");
  history.replaceState({ at: 1 }, "", "/a");
  await pass();
  history.pushState(null, "", "/redirects");
  history.replaceState(null, "", "/b?tab=2");
  fake.win.document.title = "B";
  await pass();
  fake.go("/a");
  fake.emit("popstate");
  await pass();
  await pass(2_000);
  const views = messages(fake).map((message) => message["properties"] as Message);
  assert.deepEqual(views.map((view) => view["path"] + view["search"]), ["/a", "/b?tab=2", "/a"]);
  assert.deepEqual(views.map((view) => view["title"]), ["Start", "B", "B"]);
  assert.equal(views[0]!["referrer"], "https://search.example/");
  assert.equal(views[1]!["referrer"], "https://app.example.com/a");
});

test("the history works for the page as it did", () => {
  const fake = fakeWindow();
  fake.win.history.pushState = () => {
    throw new RangeError("the page's own");
  };
  started(fake, {});
  assert.throws(() => fake.win.history.pushState(null, "", "/b"), RangeError);
});

test("a page that comes back from the browser's cache is viewed again", async () => {
  const fake = fakeWindow();
  started(fake, {});
  fake.emit("pageshow", { persisted: false });
  fake.emit("pageshow", { persisted: true });
  await pass(2_000);
  assert.equal(messages(fake).length, 2);
});

test("a page rendered ahead of time counts when it is looked at", async () => {
  const fake = fakeWindow();
  Object.assign(fake.win.document, { prerendering: true });
  const api = started(fake, {});
  api["track"]!("x");
  await pass(MINUTE);
  assert.equal(fake.requests.length, 0);
  fake.win.document.dispatchEvent(new Event("prerenderingchange"));
  await pass(2_000);
  assert.deepEqual(messages(fake).map((message) => message["type"]), ["page", "track"]);
});

test("page takes a name, a category and properties", async () => {
  const fake = fakeWindow();
  const api = started(fake);
  api["page"]!("Pricing");
  api["page"]!("Docs", "Import", { title: "Mine" });
  await pass(2_000);
  const [one, two] = messages(fake) as Message[];
  assert.deepEqual([one!["name"], one!["category"]], ["Pricing", undefined]);
  assert.deepEqual([two!["name"], two!["category"]], ["Import", "Docs"]);
  assert.equal(two!["properties"].title, "Mine");
  assert.equal(two!["properties"].path, "/start");
});

test("the script tag starts by itself, and sends where it came from", async () => {
  const fake = fakeWindow();
  const script = {
    src: "https://cs.example.com/sub/snippet/v1.js?x=1",
    dataset: { key: "KEY", sessions: "off" },
  } as unknown as HTMLScriptElement;
  (fake.win as unknown as { perennial: unknown }).perennial = [["track", "early"]];
  const mine = apiOf(fake);
  install(fake.win, script);
  install(fake.win, script);
  mine.push(["track", "late"], ["load", "OTHER"], ["no such"], [], 7);
  await pass(2_000);
  assert.equal(fake.requests[0]!.url, "https://cs.example.com/sub/v1/batch");
  assert.deepEqual(messages(fake).map((message) => message["event"]), [undefined, "early", "late"]);
  assert.equal(messages(fake)[0]!["context"].sessionId, undefined);
});

test("what is called before load is done after it", async () => {
  const fake = fakeWindow();
  install(fake.win, null);
  const api = apiOf(fake);
  api["identify"]!("u1");
  api["load"]!("", {});
  api["load"]!("KEY", { host: "https://cs.example.com" });
  await pass(2_000);
  assert.deepEqual(messages(fake).map((message) => message["type"]), ["page", "identify"]);
});

test("an element with that id is not taken for the page's array", () => {
  const fake = fakeWindow();
  (fake.win as unknown as { perennial: unknown }).perennial = { tagName: "DIV" };
  install(fake.win, null);
  assert.equal(typeof apiOf(fake)["track"], "function");
});
