// eyevinn.mjs - clients of the standard doors that are not ours, unmodified: @eyevinn/whip-web-client
// and @eyevinn/webrtc-player, in a page of Chromium.
import fs from 'node:fs';
import path from 'node:path';
import { locate } from './deps.mjs';

/** One script for a page: window.WHIPClient and window.WebRTCPlayer, as their packages are. */
export async function bundle(dir) {
    const { rolldown } = await import(locate('rolldown'));
    const entry = path.join(dir, 'clients.js');
    const of = (name) => JSON.stringify(locate(name));
    fs.writeFileSync(entry, `import { WHIPClient } from ${of('@eyevinn/whip-web-client')};
import { WebRTCPlayer } from ${of('@eyevinn/webrtc-player')};
Object.assign(window, { WHIPClient, WebRTCPlayer });\n`);
    const made = await rolldown({ input: entry, platform: 'browser', logLevel: 'silent' });
    const { output } = await made.generate({ format: 'iife', name: 'clients' });
    return output[0].code;
}

/** A page of the server's origin with both clients in it. */
export async function outside(t, server, code, options) {
    const page = await t.openPage('chromium', server.url('/'), { name: 'outside', ...options });
    await page.page.evaluate(code);
    return page;
}

export async function publish(page, url, token) {
    await page.eval(async (endpoint, authkey) => {
        const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
        window.client = new window.WHIPClient({
            endpoint, opts: { authkey, iceServers: [], noTrickleIce: false, debug: false },
        });
        await window.client.ingest(media);
    }, url, token);
}

export async function play(page, url, token) {
    await page.eval(async (endpoint, key) => {
        const video = document.createElement('video');
        video.muted = true;
        video.autoplay = true;
        document.body.append(video);
        window.player = new window.WebRTCPlayer({ video, type: 'whep', iceServers: [] });
        await window.player.load(new URL(endpoint), `Bearer ${key}`);
    }, url, token);
}
