import assert from "node:assert/strict";
import { test } from "node:test";
import { parseHTML } from "linkedom";
import { isStable, selectorsOf } from "../src/snippet/pick/selectors.ts";

Object.assign(globalThis, { CSS: { escape: (text: string) => text.replace(/[^\w-]/g, "\\$&") } });

test("names that people chose are told from those that tools make", () => {
  const chosen = "export exportButton main-nav nav__item step-2 btn-primary h1-title is-active sidebarLeft tabs";
  for (const name of chosen.split(" ")) assert.equal(isStable(name), true, name);
  const made = `b-x7f3k :r3: css-1q2w3e sc-bdVaJa jXkPqR ember234 radix-:r1: headlessui-menu-button-3 _ngcontent-abc
    user-12345 a8f3c2 module__title--3kQ9x mui-42 react-select-2-input bqkzjxv 4abc ""`;
  for (const name of made.split(/\s+/)) assert.equal(isStable(name), false, name);
});

function first(body: string): string[] {
  const { document } = parseHTML(`<!doctype html><html><body>${body}</body></html>`);
  const element = document.querySelector("[x]")!;
  element.removeAttribute("x");
  const { selectors } = selectorsOf(element as unknown as Element);
  for (const selector of selectors) {
    const found = [...document.querySelectorAll(selector)];
    assert.deepEqual([found.length, found[0] === element], [1, true], selector);
  }
  return selectors;
}

test("the surest comes first, and each fits the element alone", () => {
  const cases: [string, string][] = [
    [`<button x id="export">E</button>`, "#export"],
    [`<button x id=":r3:" data-testid="save all">E</button>`, `[data-testid="save all"]`],
    [`<input x name="city"><input name="name">`, `input[name="city"]`],
    [`<button aria-label='Say "hi"' x></button><button></button>`, `button[aria-label="Say \\"hi\\""]`],
    [`<a href="/reports" x>R</a><a href="/x">X</a>`, `a[href="/reports"]`],
    [`<b class="css-1q2w3e lead" x></b><b class="lead2"></b>`, "b.lead"],
    [`<button>A</button><nav><button x>B</button></nav>`, "nav button"],
    [`<p>a</p><main><div><p>b</p><p x>c</p></div></main>`, "main > div > p:nth-of-type(2)"],
    [`<div><div></div><div><i></i><i x></i></div></div>`, "body > div > div:nth-of-type(2) > i:nth-of-type(2)"],
    [`<button name="go">A</button><form id="find"><button name="go" x>B</button></form>`, `#find button[name="go"]`],
  ];
  for (const [body, best] of cases) assert.equal(first(body)[0], best, body);
});

test("several ways lead to it, and nothing made up is among them", () => {
  const found = first(
    `<main id="b-x7f3k"><section class="jXkPqR tools"><button x id="b-l25odr2" class="b-9k2 export" type="submit">E</button>
     <button type="button">F</button></section></main>`,
  );
  assert.deepEqual(found.slice(0, 2), [`button[type="submit"]`, "button.export"]);
  assert.ok(found.length >= 3 && found.length <= 5);
  assert.doesNotMatch(found.join(), /b-x7f3k|jXkPqR|b-l25odr2|b-9k2/);
});
