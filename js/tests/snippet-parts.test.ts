import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { LIMIT_BYTES, PICK_LIMIT_BYTES, SHOW_LIMIT_BYTES, VERSIONS, snippet } from "../snippet.mjs";
import { LEAVING, ORDINARY, bodyOf, cut } from "../src/snippet/batch.ts";
import { readCall } from "../src/snippet/calls.ts";
import { campaignOf } from "../src/snippet/context.ts";
import { isRetried, pauseMs, toldMs } from "../src/snippet/retry.ts";
import { uuid, type Win } from "../src/snippet/surroundings.ts";

const FORBIDDEN = /\beval\(|new Function|innerHTML|sourceMappingURL|document\.cookie|console\./;
const entry = (text: string) => ({ name: text.slice(0, 3), text });

test("every published version is small and brings neither eval nor a map", async () => {
  for (const version of VERSIONS) {
    const files: [string, number][] = [
      [`src/snippet/${version}.ts`, LIMIT_BYTES],
      [`src/snippet/show/${version}.ts`, SHOW_LIMIT_BYTES],
      [`src/snippet/pick/${version}.ts`, PICK_LIMIT_BYTES],
    ];
    for (const [entry, limit] of files) {
      const text = await snippet(version, entry);
      const bytes = gzipSync(text, { level: 9 }).length;
      assert.ok(bytes < limit, `${entry}: ${bytes} bytes`);
      assert.doesNotMatch(text, FORBIDDEN);
      assert.match(text, /^\/\*! Perennial browser snippet/);
    }
  }
});

test("a batch is cut by number", () => {
  const entries = Array.from({ length: 250 }, (_, at) => entry(`{"n":${at}}`));
  assert.deepEqual(cut(entries, ORDINARY), entries.slice(0, 100));
});

test("a batch is cut by bytes, not by characters", () => {
  const entries = Array.from({ length: 5 }, () => entry(JSON.stringify("€".repeat(7_000))));
  assert.equal(cut(entries, LEAVING).length, 2);
  assert.equal(cut(entries, ORDINARY).length, 5);
  assert.deepEqual(cut([], LEAVING), []);
});

test("the body of the fullest leaving batch stays below 64 KiB", () => {
  const entries = Array.from({ length: 100 }, () => entry(JSON.stringify("x".repeat(596))));
  const body = bodyOf("k".repeat(32), cut(entries, LEAVING));
  assert.ok(body.length > 59_000 && body.length < 64_000, String(body.length));
});

test("a body is the batch of the protocol", () => {
  const body = JSON.parse(bodyOf('k"1', [entry('{"a":1}'), entry('{"b":2}')]));
  assert.equal(body.writeKey, 'k"1');
  assert.deepEqual(body.batch, [{ a: 1 }, { b: 2 }]);
  assert.ok(Math.abs(Date.parse(body.sentAt) - Date.now()) < 1_000);
});

test("what is tried again, and what is done with", () => {
  for (const status of [0, 429, 500, 502, 503, 504]) assert.ok(isRetried({ status }), `${status}`);
  for (const status of [200, 202, 400, 401, 403, 404, 413, 415])
    assert.ok(!isRetried({ status }), `${status}`);
});

test("pauses double from a second to five minutes, half of each by chance", () => {
  assert.deepEqual([0, 1, 2, 8, 9, 60].map((n) => pauseMs(n, 1) / 1_000), [1, 2, 4, 256, 300, 300]);
  assert.equal(pauseMs(3, 0), 4_000);
});

test("Retry-After is seconds or a date, and never more than five minutes", () => {
  assert.equal(toldMs("7"), 7_000);
  assert.equal(toldMs("86400"), 300_000);
  const soon = toldMs(new Date(Date.now() + 20_000).toUTCString());
  assert.ok(soon !== null && soon > 15_000 && soon <= 20_000);
  for (const nonsense of [null, "", "soon", "-3", "Wed, 21 Oct 2015 07:28:00 GMT"])
    assert.equal(toldMs(nonsense), null);
});

test("arguments may be left out, as in analytics.js", () => {
  const { words, fields, context } = readCall([7, { a: 1 }, { context: { groupId: "g" } }]);
  assert.deepEqual([words, fields, context], [["7"], { a: 1 }, { groupId: "g" }]);
  assert.deepEqual(readCall([null, "", [1], undefined]), { words: [], fields: {}, context: {} });
});

test("campaigns are named as Segment names them", () => {
  const campaign = campaignOf("?utm_campaign=May&utm_source=mail&x=1&utm_term=a%20b");
  assert.deepEqual(campaign, { name: "May", source: "mail", term: "a b" });
  assert.equal(campaignOf("?q=utm_source"), undefined);
});

test("ids are version 4 UUIDs, on plain http as well", () => {
  const plain = { crypto: { getRandomValues: crypto.getRandomValues.bind(crypto) } };
  const ids = new Set(Array.from({ length: 500 }, () => uuid(plain as unknown as Win)));
  assert.equal(ids.size, 500);
  const shape = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
  for (const id of ids) assert.match(id, shape);
});
