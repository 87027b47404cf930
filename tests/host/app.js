// A small product with pages of its own making: what it shows changes without a load.
const view = document.getElementById("view");
const perennial = (window.perennial = window.perennial || []);

const PAGES = {
  "/": ["Home", "Everything is on time."],
  "/reports/weekly": ["Weekly report", "12 tours, 3 late."],
  "/settings": ["Settings", "Nothing to set."],
};

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function draw() {
  const [title, text] = PAGES[location.pathname] || ["Not here", ""];
  document.title = title;
  view.replaceChildren(element("h1", title), element("p", text));
  if (location.pathname.startsWith("/reports")) {
    const button = element("button", "Export", { id: "export", class: "b-" + Math.random().toString(36).slice(2) });
    button.addEventListener("click", () => perennial.push(["track", "Report exported"]));
    view.append(button);
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/']");
  if (!link) return;
  event.preventDefault();
  history.pushState(null, "", link.getAttribute("href"));
  draw();
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
