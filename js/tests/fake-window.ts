/** A window small enough to see through: storage, clock and network are the test's. */
import { mock } from "node:test";
import type { Win } from "../src/snippet/surroundings.ts";

export type Message = Record<string, any>;

export interface Request {
  url: string;
  body: Message;
  init: RequestInit;
}

/** As localStorage: entries are its own keys. Full beyond so many characters. */
export class FakeDisk {
  [name: string]: unknown;
  static make(room = 5_000_000): Storage {
    const disk = new FakeDisk();
    Object.defineProperty(disk, "room", { value: room, enumerable: false });
    return disk as unknown as Storage;
  }
  getItem(name: string): string | null {
    return Object.hasOwn(this, name) ? (this[name] as string) : null;
  }
  setItem(name: string, text: string): void {
    const others = Object.entries(this).filter(([key]) => key !== name);
    const used = others.reduce((sum, [key, value]) => sum + key.length + String(value).length, 0);
    if (used + name.length + text.length > (this["room"] as number)) throw new Error("full");
    this[name] = text;
  }
  removeItem(name: string): void {
    delete this[name];
  }
}

type Reply = { status?: number; retryAfter?: string } | "down" | "never";

export interface Fake {
  win: Win;
  disk: Storage;
  requests: Request[];
  beacons: Message[];
  /** What the server answers from now on; "down" is no connection. */
  server: { reply: Reply };
  emit(type: string, more?: object): void;
  go(url: string): void;
}

interface Setting {
  disk?: Storage | "denied";
  navigator?: object;
  locks?: LockManager | null;
  url?: string;
}

const TRUE_TIME = Date.UTC(2026, 0, 15, 12);

export function freeze(): void {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: TRUE_TIME });
}

/** Lets time pass, and whatever was promised come true. */
export async function pass(ms = 0): Promise<void> {
  await promises();
  mock.timers.tick(ms);
  await promises();
}

async function promises(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => setImmediate(done));
}

export function fakeWindow(setting: Setting = {}): Fake {
  const requests: Request[] = [];
  const beacons: Message[] = [];
  const server: { reply: Reply } = { reply: { status: 200 } };
  const location = new URL(setting.url ?? "https://app.example.com/start?utm_source=mail#secret");
  const disk = setting.disk === "denied" ? FakeDisk.make() : (setting.disk ?? FakeDisk.make());
  const go = (url: string): void => void (location.href = new URL(url, location.href).href);
  const history = {
    pushState: (_state: unknown, _title: string, url: string) => go(url),
    replaceState: (_state: unknown, _title: string, url: string) => go(url),
  };
  const win = Object.assign(new EventTarget(), {
    location,
    history,
    devicePixelRatio: 2,
    crypto,
    screen: { width: 1440, height: 900 },
    document: Object.assign(new EventTarget(), {
      title: "Start",
      referrer: "https://search.example/",
      visibilityState: "visible",
    }),
    navigator: {
      userAgent: "Fake/1.0",
      language: "sv-SE",
      onLine: true,
      locks: setting.locks === undefined ? fakeLocks() : (setting.locks ?? undefined),
      sendBeacon: (_url: string, text: string) => beacons.push(JSON.parse(text) as Message) > 0,
      ...setting.navigator,
    },
    fetch: (url: string, init: RequestInit) => {
      requests.push({ url, init, body: JSON.parse(init.body as string) as Message });
      return answered(server.reply, init.signal);
    },
  });
  Object.defineProperty(win, "localStorage", {
    get: () => {
      if (setting.disk === "denied") throw new Error("SecurityError");
      return disk;
    },
  });
  return {
    win: win as unknown as Win,
    disk,
    requests,
    beacons,
    server,
    go,
    emit: (type, more = {}) => {
      const target = type === "visibilitychange" ? win.document : win;
      target.dispatchEvent(Object.assign(new Event(type), more));
    },
  };
}

function answered(reply: Reply, signal: AbortSignal | null | undefined): Promise<unknown> {
  if (reply === "down") return Promise.reject(new TypeError("Failed to fetch"));
  if (reply === "never")
    return new Promise((_done, fail) => signal?.addEventListener("abort", () => fail(signal.reason)));
  const headers = new Headers(reply.retryAfter ? { "Retry-After": reply.retryAfter } : {});
  return Promise.resolve({ status: reply.status ?? 200, headers });
}

/** Locks of one browser: hand the same to several windows. */
export function fakeLocks(): LockManager {
  const held = new Set<string>();
  const request = async (
    name: string,
    _options: LockOptions,
    work: (lock: Lock | null) => Promise<void>,
  ): Promise<void> => {
    if (held.has(name)) return work(null);
    held.add(name);
    try {
      await work({ name, mode: "exclusive" });
    } finally {
      held.delete(name);
    }
  };
  return { request } as unknown as LockManager;
}
