// A small product with pages of its own making: what it shows changes without a load.
const view = document.getElementById("view");
const dialog = document.getElementById("tour");
const perennial = (window.perennial = window.perennial || []);

const PAGES = {
  "/": ["Home", "Everything is on time."],
  "/reports/weekly": ["Weekly report", "12 tours, 3 late."],
  "/settings": ["Settings", "Nothing to set."],
  "/billing": ["Billing", "Paid until June."],
  "/map": ["Map", "Where everybody is."],
};
const TOURS = [
  ["Hamburg – Lübeck", "06:40", "On time"],
  ["Malmö – Göteborg", "07:15", "12 min late"],
  ["Kiel – Bremen", "08:00", "On time"],
];

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** A name that a style tool makes anew with each build, here with each picture. */
function generated() {
  return "b-" + Math.random().toString(36).slice(2);
}

function button(text, attributes, work) {
  const made = element("button", text, { type: "button", class: generated(), ...attributes });
  made.addEventListener("click", work);
  return made;
}

function table() {
  const whole = element("table", "");
  for (const cells of [["Tour", "Departs", "State"], ...TOURS]) {
    const row = element("tr", "");
    row.append(...cells.map((cell) => element(cells[0] === "Tour" ? "th" : "td", cell)));
    whole.append(row);
  }
  return whole;
}

/** Parts of the page with a shadow of their own, one in another; and one that is closed. */
function map() {
  const [whole, tools, secret] = ["tour-map", "map-tools", "secret-map"].map((name) => element(name, ""));
  const outer = whole.attachShadow({ mode: "open" });
  const inner = tools.attachShadow({ mode: "open" });
  inner.append(button("Zoom", {}, () => undefined), button("Layers", { id: "layers" }, () => whole.setAttribute("data-on", "")));
  outer.append(element("p", "A map"), tools);
  secret.attachShadow({ mode: "closed" }).append(button("Hidden", {}, () => undefined));
  return [whole, secret];
}

function draw() {
  const [title, text] = PAGES[location.pathname] || ["Not here", ""];
  document.title = title;
  view.replaceChildren(element("h1", title), element("p", text));
  if (location.pathname === "/") {
    const bar = element("div", "", { class: generated() });
    bar.append(
      button("New tour", { id: generated() }, () => dialog.showModal()),
      button("Print", { "data-testid": "print", id: ":r" + generated() + ":" }, () => undefined),
    );
    view.append(bar, table());
  }
  if (location.pathname === "/map") view.append(...map());
  if (location.pathname.startsWith("/reports")) {
    const track = () => perennial.push(["track", "Report exported"]);
    view.append(button("Export", { id: "export" }, track), table());
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/']");
  if (!link || link.rel === "external") return;
  event.preventDefault();
  history.pushState(null, "", link.getAttribute("href"));
  draw();
});
document.getElementById("plan").addEventListener("click", () => {
  perennial.push(["track", "Tour planned"]);
  dialog.close();
});
window.addEventListener("popstate", draw);
draw();

// The page changes by itself, too: everything in it is made anew.
setInterval(draw, 1500);

// Who is signed in, as the server of this product said it.
fetch("/me")
  .then((answer) => answer.json())
  .then(({ user, account, signature }) => {
    if (!user) return;
    perennial.push(["group", account]);
    perennial.push(["identify", user, {}, { signature }]);
  });
