// Requests to the server: JSON in and out, errors as words the page has sentences for.
export interface Account { id: string; name: string; mail: string; admin: boolean; password?: number }
export interface Session { me: Account | null; server: string; first: boolean; mail: boolean; provider: string }
export interface Answer<T> { ok: boolean; status: number; data: T; error: string; retry: number }

interface Options { body?: unknown; text?: string; bearer?: string }

const HEADERS: Record<string, string> = { accept: 'application/json' };
const ATTEMPTS = 3;
const PAUSE_MS = 1500;

async function once(method: string, path: string, { body, text, bearer }: Options): Promise<Response> {
  const headers = { ...HEADERS };
  if (bearer !== undefined) headers['authorization'] = `Bearer ${bearer}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (text !== undefined) headers['content-type'] = 'text/csv';
  const payload = text ?? (body === undefined ? (method === 'POST' || method === 'PATCH' ? '' : null) : JSON.stringify(body));
  return fetch(path, { method, headers, body: payload, credentials: bearer === undefined ? 'same-origin' : 'omit' });
}

/** Reading is tried again while the server is busy or restarts; a change is the person's to repeat. */
export async function api<T>(method: string, path: string, options: Options = {}): Promise<Answer<T>> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await once(method, path, options);
      if (response.status === 503 && method === 'GET' && attempt < ATTEMPTS) {
        await new Promise((done) => setTimeout(done, PAUSE_MS));
        continue;
      }
      const data = (await response.json().catch(() => ({}))) as T & { error?: string };
      const error = response.ok ? '' : (data.error ?? (response.status === 413 ? 'csv_big' : 'busy'));
      return { ok: response.ok, status: response.status, data, error, retry: Number(response.headers.get('retry-after') ?? 0) };
    } catch {
      return { ok: false, status: 0, data: {} as T, error: 'offline', retry: 0 };
    }
  }
}

/** Where one is sent to sign in, and comes back from: only to a page of ours, never to another place. */
export function signInPath(from: string): string {
  return `/signin#${encodeURIComponent(from)}`;
}

export function returnPath(hash: string): string {
  let path = '';
  try {
    path = decodeURIComponent(hash.replace(/^#/, ''));
  } catch {
    return '/home';
  }
  return /^\/home(\/[\w/-]*)?(\?[\w=&-]*)?$/.test(path) ? path : '/home';
}
