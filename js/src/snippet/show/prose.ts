/**
 * The text of a guide: paragraphs between blank lines, `- ` lists, `**bold**` and
 * `[links](https://…)`. It becomes nodes; whatever looks like markup stays text.
 */
import { make } from "./dom.ts";

export type Span = { text: string; bold?: true; url?: string };
export type Block = { items: Span[][]; isList: boolean };

export function blocksOf(body: string): Block[] {
  const blocks: Block[] = [];
  for (const part of body.split(/\n\s*\n/)) {
    let open: Block | undefined;
    for (const line of part.split("\n").filter((each) => each.trim())) {
      const [, item] = /^\s*[-*] +(.*)$/.exec(line) || [];
      const isList = item !== undefined;
      if (!open || open.isList !== isList) blocks.push((open = { items: [], isList }));
      open.items.push(spansOf(isList ? item : line.trim()));
    }
  }
  return blocks;
}

function spansOf(line: string): Span[] {
  const parts = line.split(/(\*\*[^*]+\*\*|\[[^\]]+\]\([^)\s]+\))/).filter(Boolean);
  return parts.map((part) => {
    const [, bold] = /^\*\*(.+)\*\*$/.exec(part) || [];
    if (bold) return { text: bold, bold: true };
    const [, text, url] = /^\[(.+)\]\((\S+)\)$/.exec(part) || [];
    const safe = url && safeUrl(url);
    return safe ? { text: text!, url: safe } : { text: text || part };
  });
}

/** The address if a page may send people there; empty for scripts and the like. */
export function safeUrl(url: string): string {
  return /^(https?:\/\/|mailto:|\/(?![\/\\])|[#?])/i.test(url) ? url : "";
}

export function prose(page: Document, body: string): DocumentFragment {
  const all = page.createDocumentFragment();
  for (const { items, isList } of blocksOf(body)) {
    const block = make(page, isList ? "ul" : "p");
    items.forEach((spans, place) => {
      const line = isList ? make(page, "li") : block;
      if (!isList && place) line.append(make(page, "br"));
      line.append(...spans.map((span) => node(page, span)));
      if (isList) block.append(line);
    });
    all.append(block);
  }
  return all;
}

function node(page: Document, { text, bold, url }: Span): Node {
  if (url) return link(page, url, text);
  return bold ? make(page, "b", {}, text) : page.createTextNode(text);
}

/** Other sites open beside the page, which learns nothing of them nor they of it. */
export function link(page: Document, url: string, text: string): HTMLAnchorElement {
  const isOther = /^https?:/i.test(url) && new URL(url).origin !== page.location.origin;
  const away = isOther ? { target: "_blank", rel: "noopener noreferrer" } : {};
  return make(page, "a", { href: url, ...away }, text);
}
