export const STYLE = `
:host { all: initial !important; position: fixed !important; inset: 0 auto auto 0 !important; z-index: 2147483001 !important; color-scheme: light dark; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.outline { position: fixed; pointer-events: none; border-radius: 4px; outline: 2px solid #4B48C8; outline-offset: 2px; background: rgb(75 72 200 / .14); box-shadow: 0 0 0 5px rgb(255 255 255 / .7); }
.bar { position: fixed; inset-inline: 12px; bottom: 16px; margin: 0 auto; max-width: 640px; display: grid; grid-template-columns: 1fr auto; gap: 4px 16px; align-items: center; padding: 12px 12px 12px 16px; border-radius: 12px;
  background: #1F1F23; color: #EDEDF0; box-shadow: 0 0 0 1px rgb(255 255 255 / .16), 0 16px 40px -8px rgb(0 0 0 / .5); font: 400 13px/18px Inter, system-ui, -apple-system, "Segoe UI", sans-serif; overflow-wrap: anywhere; }
.bar.high { bottom: auto; top: 16px; }
.bar:focus { outline: none; }
p { margin: 0; }
.title { font-weight: 600; font-size: 14px; line-height: 20px; }
.said { grid-row: 2; display: grid; gap: 2px; color: #B4B4BE; min-height: 18px; }
code { font: 12px/18px ui-monospace, Menlo, Consolas, monospace; color: #C9C8FB; }
.weak { color: #F0A35E; }
.buttons { grid-row: 1 / 3; grid-column: 2; display: flex; flex-wrap: wrap; gap: 8px; justify-content: end; }
button { min-height: 34px; padding: 4px 12px; border: 1px solid #55555E; border-radius: 6px; background: none; color: inherit; font: inherit; font-weight: 500; cursor: pointer; }
button:hover { border-color: #A5A5F8; }
button:focus-visible { outline: 2px solid #A5A5F8; outline-offset: 2px; }
.main { border-color: transparent; background: #5B58D6; color: #FFFFFF; }
@media (max-width: 640px) { .bar { grid-template-columns: 1fr; } .buttons { grid-row: 3; grid-column: 1; justify-content: start; } button { min-height: 40px; } }
`;
