import assert from "node:assert/strict";
import { test } from "node:test";
import { parseHTML } from "linkedom";
import { contrast, inkOn, readable } from "../src/snippet/show/color.ts";
import { find } from "../src/snippet/show/find.ts";
import type { Item } from "../src/snippet/show/guide.ts";
import { placeBeside } from "../src/snippet/show/place.ts";
import { blocksOf, prose, safeUrl } from "../src/snippet/show/prose.ts";
import { matching } from "../src/snippet/show/resources.ts";

const VIEW = { width: 1000, height: 800 };
const CARD = { width: 300, height: 200 };

function pageOf(body: string): Document {
  const { document, HTMLElement } = parseHTML(`<!doctype html><html><body>${body}</body></html>`);
  const hidden = "[data-gone]";
  HTMLElement.prototype.getClientRects = function (this: HTMLElement) {
    return (this.closest(hidden) ? [] : [{}]) as unknown as DOMRectList;
  };
  Object.defineProperty(document, "location", { value: { origin: "https://app.example" } });
  return document as unknown as Document;
}

test("a card goes below, else where there is room, and never out of the window", () => {
  const at = (left: number, top: number, width = 40, height = 20) =>
    placeBeside({ left, top, width, height }, CARD, VIEW);
  assert.deepEqual(at(480, 100), { left: 350, top: 134, side: "bottom", arrow: 150 });
  assert.deepEqual(at(480, 700), { left: 350, top: 486, side: "top", arrow: 150 });
  assert.deepEqual(at(0, 100), { left: 8, top: 134, side: "bottom", arrow: 18 });
  assert.equal(at(960, 100).left, 692);
  assert.equal(at(100, 0, 40, 800).side, "right");
  assert.equal(at(860, 0, 40, 800).side, "left");
  // Nowhere: over the element, in the window.
  const { left, top } = at(0, 0, 1000, 800);
  assert.ok(left >= 8 && top >= 8 && left + 300 <= 992 && top + 200 <= 792);
});

test("any accent stays readable on both grounds and under its button", () => {
  for (const color of ["#4B48C8", "#FFE100", "#000000", "#FFFFFF", "#0F766E", "#FF0000"]) {
    assert.ok(contrast(color, inkOn(color)) >= 4.5, color);
    assert.ok(contrast(readable(color, "#FFFFFF", "#000000"), "#FFFFFF") >= 4.5, color);
    assert.ok(contrast(readable(color, "#1F1F23", "#FFFFFF"), "#1F1F23") >= 4.5, color);
  }
  assert.equal(readable("#4B48C8", "#FFFFFF", "#000000"), "#4b48c8");
});

test("text becomes paragraphs, lists, bold and links, and never markup", () => {
  const body = "One **two**\nthree\n\n- a\n- [b](https://b.example)\nend <img src=x onerror=alert(1)>";
  const shape = blocksOf(body).map(({ isList, items }) => [isList, items.length]);
  assert.deepEqual(shape, [
    [false, 2],
    [true, 2],
    [false, 1],
  ]);
  const page = pageOf("");
  const made = page.createElement("div");
  made.append(prose(page, body));
  assert.deepEqual(
    [...made.querySelectorAll("*")].map(({ localName, textContent }) => [localName, textContent]),
    [
      ["p", "One twothree"],
      ["b", "two"],
      ["br", ""],
      ["ul", "ab"],
      ["li", "a"],
      ["li", "b"],
      ["a", "b"],
      ["p", "end <img src=x onerror=alert(1)>"],
    ],
  );
  const away = made.querySelector("a")!;
  assert.deepEqual([away.target, away.rel], ["_blank", "noopener noreferrer"]);
  made.replaceChildren(prose(page, "[x](javascript:void) [y](//evil.example) [z](/ok)"));
  assert.equal(made.textContent, "x y z");
  assert.deepEqual(
    [...made.querySelectorAll("a")].map((link) => link.getAttribute("href")),
    ["/ok"],
  );
});

test("addresses that run something lead nowhere", () => {
  for (const bad of ["javascript:alert(1)", " javascript:x", "data:text/html,x", "//a.b", "/\\a.b", "x"])
    assert.equal(safeUrl(bad), "", bad);
  for (const good of ["https://a.b/c", "http://a.b", "/x?y", "mailto:a@b.c", "#part"])
    assert.equal(safeUrl(good), good);
});

test("an element is found by the first selector that fits, the one with its text", () => {
  const page = pageOf(
    `<button id="a" class="x">Save</button><button id="b" class="x"> Export\n now </button>
     <button id="c" class="y" data-gone>Gone</button><button id="d">Only here</button>`,
  );
  const id = (selectors: string[], text = "") => find(page, { selectors, text })?.id;
  assert.equal(id(["#nothing", ".x"], "Export now"), "b");
  assert.equal(id([".x"], "Translated"), "a");
  assert.equal(id(["#a"], "Translated"), "a");
  assert.equal(id([".y"]), undefined);
  assert.equal(id(["[[", "#d"]), "d");
  assert.equal(id(["#nothing"], "Only here"), "d");
  assert.equal(id([], ""), undefined);
  page.body.append(Object.assign(page.createElement("button"), { textContent: "Only here" }));
  assert.equal(id([], "Only here"), undefined);
});

test("a search wants every word, anywhere", () => {
  const items = [
    { title: "Plan a tour", body: "with drivers" },
    { title: "Drivers", body: "" },
  ] as Item[];
  const titles = (text: string) => matching(items, text).map(({ title }) => title);
  assert.deepEqual(titles(""), ["Plan a tour", "Drivers"]);
  assert.deepEqual(titles("DRIV tour"), ["Plan a tour"]);
  assert.deepEqual(titles("x"), []);
});
