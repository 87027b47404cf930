/**
 * The browser snippet, served at /snippet/v1.js. What is written here stays true for
 * ever: whoever has it on a page never needs to change it. (docs/how-to/browser-snippet.md)
 *
 * One script tag, which starts by itself and counts the first page view:
 *
 *     <script async src="https://HOST/snippet/v1.js" data-key="KEY"></script>
 *
 *     data-host="https://…"     send there, not where the script came from
 *     data-consent="required"   keep and send nothing before optIn()
 *     data-pages="off"          no automatic page views
 *     data-sessions="off"       no session ids
 *     data-show="on"            may show surveys and guides to people who are identified
 *
 * Calls before the script has come are taken as arrays, also afterwards:
 *
 *     (window.perennial = window.perennial || []).push(["track", "Report made", { rows: 3 }]);
 *
 * Or the inline stub, with which every function can be called at once:
 *
 *     <script>
 *     !function(w,d,h){var p=w.perennial=w.perennial||[];if(p.load)return;
 *     "page track identify group alias reset optIn optOut flush".split(" ").forEach(function(n){
 *     p[n]=function(){p.push([n].concat([].slice.call(arguments)))}});
 *     p.load=function(k,o){o=o||{};p.push(["load",k,o]);var s=d.createElement("script");s.async=!0;
 *     s.src=(o.host||h)+"/snippet/v1.js";d.head.appendChild(s)}
 *     }(window,document,"https://HOST");
 *     perennial.load("KEY");
 *     </script>
 *
 *     load(key, {host, consent: "required", pages: false, sessions: false, show: true})
 *     page([[category,] name,] [properties])
 *     track(event, [properties])
 *     identify([userId,] [traits])
 *     group(groupId, [traits])         the account; said with every message from now on
 *     alias(userId, [previousId])
 *     reset()                          at log-out: a new visitor from here
 *     optOut() optIn()                 remembered in this browser
 *     flush()                          send now
 *
 * page, track, identify, group and alias take a last argument `{context: {…}}`, whose
 * fields go into the context of this one message: `{context: {groupId: "other"}}`.
 * identify takes `{signature: "…"}` there: HMAC-SHA256 of the user id by your server.
 */
import { install } from "./install.ts";
import { safely, type Win } from "./surroundings.ts";

function ownScript(page: Document): HTMLScriptElement | null {
  const running = page.currentScript;
  if (running instanceof HTMLScriptElement) return running;
  return page.querySelector<HTMLScriptElement>('script[src*="/snippet/v1.js"]');
}

safely(() => install(window as Win, ownScript(document)))();
