// A small server that speaks protocol amphi.1 with scripted people: for component tests and pictures.
// The link says what happens: /c/c_demo#people=12&hands=2&screen=1&role=host&state=live
// Media: it answers offers with credentials that lead nowhere; pictures are drawn by fake_media.js.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { Session } from './session.ts';
import { World } from './world.ts';

export const CSP = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "font-src 'self' data:", "img-src 'self' data:",
  "connect-src 'self'", "media-src 'self' blob:", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
  "require-trusted-types-for 'script'", 'trusted-types svelte-trusted-html',
].join('; ');

const TYPES: Record<string, string> = { js: 'text/javascript', css: 'text/css', html: 'text/html; charset=utf-8' };

export interface Mock { url: string; worlds: Map<string, World>; requests: string[]; pause(ms: number): void; close(): Promise<void> }

export async function startMock(port = 0): Promise<Mock> {
  const worlds = new Map<string, World>();
  const requests: string[] = [];
  let pausedUntil = 0;
  const dist = new URL('../../dist/', import.meta.url);
  const http = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    requests.push(path);
    const file = path.startsWith('/assets/') ? path.slice(1) : 'index.html';
    try {
      const body = readFileSync(new URL(file, dist));
      response.writeHead(200, {
        'content-type': TYPES[file.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
        'content-security-policy': CSP, 'permissions-policy': 'camera=(self), microphone=(self), display-capture=(self)',
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'amphi.1' });
  http.on('upgrade', (request, socket, head) => {
    if (Date.now() < pausedUntil) {
      socket.destroy();
      return;
    }
    sockets.handleUpgrade(request, socket, head, (ws) => new Session(ws, worlds));
  });
  await new Promise<void>((done) => http.listen(port, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    worlds,
    requests,
    pause(ms) {
      pausedUntil = Date.now() + ms;
      for (const ws of sockets.clients) ws.terminate();
    },
    close() {
      for (const ws of sockets.clients) ws.terminate();
      return new Promise((done) => http.close(() => done()));
    },
  };
}

if (process.argv[1] === import.meta.filename) {
  const mock = await startMock(Number(process.env['PORT'] ?? 5199));
  console.log(`${mock.url}/c/c_demo#people=7&hands=2&state=live&role=host`);
}
