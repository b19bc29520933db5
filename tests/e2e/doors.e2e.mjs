// doors - clients that are not ours, unmodified, at the standard doors: @eyevinn/whip-web-client
// publishes into a class of people, @eyevinn/webrtc-player watches it, both in Chromium.
import path from 'node:path';
import { ClassRoom, silentWhile } from './lib/class.mjs';
import { bundle, outside, play, publish } from './lib/eyevinn.mjs';

const ENCODER = 7; // what the WHIP client sends: its picture's code, its tone

const pass = (room, role, ...more) =>
    room.server.command(['link', room.id, '--role', role, ...more, '--json']);

const seen = (page, id) => page.waitFor(`the picture of ${id}`, (want) =>
    window.__e2e.read().video.some((v) => v.id === want), { args: [id], timeout: 20000 });

const heard = (page, id) => page.waitFor(`the tone of ${id}`, (want) =>
    window.__e2e.read().audio.some((a) => a.id === want), { args: [id], timeout: 20000 });

async function eyevinn(t) {
    const room = await ClassRoom.start(t);
    const code = await bundle(t.dir);
    const host = await room.enter('chromium', { role: 'host', media: 'none' });
    const [whip, whep] = [await pass(room, 'whip', '--name', 'Caméra du fond'), await pass(room, 'whep')];
    const encoder = await outside(t, room.server, code, { sender: ENCODER });
    await publish(encoder, room.server.url(`/whip/${room.id}`), whip.link);
    await seen(host, ENCODER);
    await heard(host, ENCODER);
    const roster = async () => (await host.view()).people.map((p) => p.name).sort().join();
    t.equal(await roster(), 'Ada Lovelace,Caméra du fond', 'people while it sends');
    const viewer = await outside(t, room.server, code, { sender: 9, media: 'none' });
    await play(viewer, room.server.url(`/whep/${room.id}`), whep.link);
    await seen(viewer, ENCODER);
    await heard(viewer, ENCODER);
    t.equal(await roster(), 'Ada Lovelace,Caméra du fond', 'a viewer is nobody of the class');
    await viewer.eval(() => window.player.unload());
    await encoder.eval(() => window.client.destroy());
    await host.waitFor('the publisher gone', () => window.__e2e.view().people.length === 1);
}

/** Whoever leads closes the sound of an encoder and opens it again, from the list of people. */
async function muted(t) {
    const code = await bundle(t.dir);
    const room = await ClassRoom.start(t, { title: 'Portes' });
    const host = await room.enter('chromium', { role: 'host', lang: 'fr', viewport: { width: 1366, height: 768 } });
    const whip = await pass(room, 'whip', '--name', 'Caméra du fond');
    const encoder = await outside(t, room.server, code, { sender: ENCODER });
    await publish(encoder, room.server.url(`/whip/${room.id}`), whip.link);
    await heard(host, ENCODER);
    await host.click('bar-panel-people');
    const person = await host.eval(() => window.__e2e.view().people.find((p) => p.name === 'Caméra du fond').id);
    const press = async (button) => {
        const open = await host.eval((sel) => document.querySelector(sel).getAttribute('aria-expanded') === 'true',
            host.selector(`person-more-${person}`));
        if (!open) await host.click(`person-more-${person}`);
        await host.waitForTestId(button, { timeout: 60000 });
        await host.screenshot(path.join(t.dir, `${button}.png`));
        await host.click(button);
    };
    const mic = (on) => host.waitFor(`its microphone ${on}`, (id, want) =>
        window.__e2e.view().people.find((p) => p.id === id)?.devices[0].mic === want, { args: [person, on], timeout: 60000 });
    await press('person-mute');
    await mic('off');
    await silentWhile(t, encoder, [host], 'of a muted encoder');
    await press('person-unmute');
    await mic('on');
    await heard(host, ENCODER);
    await encoder.eval(() => window.client.destroy());
    await host.waitFor('the publisher gone', () => window.__e2e.view().people.length === 1, { timeout: 60000 });
    room.clean(host);
}

export const scenarios = [
    { name: 'eyevinn', timeout_s: 90, run: eyevinn },
    { name: 'muted', timeout_s: 90, run: muted },
];
