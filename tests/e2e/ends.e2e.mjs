// ends - what is not a class: the waiting room, being removed, a lost connection, the end.
import { ClassRoom } from './lib/class.mjs';
import { ids } from './lib/contract.mjs';
import { listen, told, unreached } from './lib/keyboard.mjs';
import { Look } from './lib/look.mjs';

async function ends(t) {
    const room = await ClassRoom.start(t, { title: 'Conduire un entretien', set: { 'waiting-room': 'manual', closing: 600 } });
    const look = new Look(t);
    const host = await room.enter('chromium', { role: 'host', lang: 'fr' });
    await listen(host);
    const waits = async (name, sender) => {
        const page = await room.open('chromium', { lang: 'en', theme: 'dark', sender, name });
        await page.fill(ids.name, name, { timeout: 60000 });
        await page.click(ids.join);
        await page.waitForTestId('waiting-room', { timeout: 60000 });
        return page;
    };
    const ana = await waits('Ana Costa', 3);
    await told(host, 'Ana Costa attend à la porte');
    await look.at(ana, 'waiting');
    await ana.click('knock');
    await told(host, 'Ana Costa frappe à la porte');
    const bea = await waits('Béa Roux', 4);
    await host.click('waiting-open');
    await host.waitForTestId('waiters', { timeout: 60000 });
    await look.at(host, 'waiting-list');
    await host.click('admit-all');
    for (const page of [ana, bea]) await page.waitForTestId(ids.bar.leave, { timeout: 60000 });
    await listen(bea);

    const { id } = (await host.hook('state')).people.find((p) => p.name === 'Ana Costa');
    await host.click(ids.personMore(id));
    t.equal(await unreached(host, '[data-testid="panel"]'), [], 'people: not reached by Tab');
    await look.at(host, 'person');
    await host.click(ids.personRemove);
    await host.click(ids.removeBan);
    await ana.waitForTestId(ids.over('removed'), { timeout: 60000 });
    await look.at(ana, 'removed');

    // The server goes away for as long as it takes to look, and comes back.
    await room.server.child.stop({ grace: 11000 });
    await bea.waitForTestId(ids.reconnecting, { timeout: 60000 });
    await look.at(bea, 'reconnecting');
    await room.server.launch();
    for (const page of [host, bea]) await page.waitForGone(ids.reconnecting, { timeout: 60000 });
    await host.click(ids.bar.leave);
    await look.at(host, 'leave');
    await host.click('leave-soft');
    await bea.waitForTestId('closing-left', { timeout: 60000 });
    await told(bea, 'The class closes in');
    await look.at(bea, 'closing');
    await host.click(ids.bar.leave);
    await host.click('leave-end');
    await bea.waitForTestId(ids.over('ended'), { timeout: 60000 });
    await look.at(bea, 'ended');
    for (const page of [host, ana, bea]) t.equal(page.csp, [], `${page.name}: policy violations`);
    look.clean();
}

export const scenarios = [{ name: 'ends', timeout_s: 150, run: ends }];
