// xss - rule S23: 200 payloads in every field a person can fill, seen in Chromium: none runs, and
// the policy has nothing to refuse (it would be a sign that text became markup).
import { ClassRoom } from './lib/class.mjs';
import { ids } from './lib/contract.mjs';
import { payloads } from './lib/payloads.mjs';
import { RawClient, tokenOf } from './lib/raw.mjs';

/** Watch a page for anything a payload could do; returns a function that gives what happened. */
async function guard(page, t) {
    const seen = [];
    page.page.on('dialog', (d) => {
        seen.push(`dialog ${d.message()}`);
        d.dismiss();
    });
    page.page.on('framenavigated', (f) => f.url() !== page.page.url() && seen.push(`navigated ${f.url()}`));
    await page.eval(() => {
        window.__ran = [];
        window.__xss = (n) => window.__ran.push(n);
        window.__added = [];
        new MutationObserver((records) => {
            for (const record of records) {
                for (const node of record.addedNodes) {
                    if (node.nodeType !== Node.ELEMENT_NODE) continue;
                    for (const e of [node, ...node.querySelectorAll('*')]) {
                        const bad = /^(script|iframe|object|embed|base|meta|marquee|math)$/i.test(e.localName)
                            || [...e.attributes].some((a) => /^on/i.test(a.name)
                                || (/^(href|src|srcdoc|action|formaction|data|xlink:href)$/i.test(a.name)
                                    && /^\s*(javascript|data:text)/i.test(a.value)));
                        if (bad) window.__added.push(e.outerHTML.slice(0, 120));
                    }
                }
            }
        }).observe(document, { childList: true, subtree: true });
    });
    return async () => {
        const inside = await page.eval(() => ({ ran: window.__ran, added: window.__added }));
        t.equal(inside.ran, [], `${page.name}: payloads that ran`);
        t.equal(inside.added, [], `${page.name}: text that became markup`);
        t.equal(seen, [], `${page.name}: dialogs and navigations`);
        t.equal(page.csp, [], `${page.name}: policy violations`);
    };
}

/** The guard must bite: the same payloads put in as markup are seen. */
async function guardBites(t) {
    const page = await t.openPage('chromium', 'about:blank', { name: 'bait', media: 'none' });
    const verdict = await guard(page, t);
    await page.eval((list) => {
        for (const text of list) {
            const holder = document.createElement('div');
            holder.innerHTML = text;
            document.body?.append(holder);
        }
    }, payloads());
    const ran = await page.waitFor('payloads run', () => new Set(window.__ran).size > 20 && new Set(window.__ran).size);
    const failed = await verdict().then(() => false, () => true);
    t.check(failed, 'the guard saw nothing');
    t.figure('payloads_that_can_run', ran);
    t.equal(payloads().length, 200, 'payloads');
    t.equal(payloads({ short: true }).filter((s) => [...s].length > 80), [], 'short ones');
}

async function names(t) {
    const room = await ClassRoom.start(t, { title: payloads()[3] });
    const host = await room.enter('chromium', { role: 'host' });
    await room.openPanel(host, 'people');
    const verdict = await guard(host, t);
    const crowd = await room.open('chromium', { name: 'crowd', media: 'none' });
    const list = payloads({ short: true });
    for (let from = 0; from < list.length; from += 20) {
        const clients = [];
        for (const [i, name] of list.slice(from, from + 20).entries()) {
            const client = await RawClient.open(crowd, { link: tokenOf(room.links.participant) });
            await client.send({ t: 'join', id: `j${from + i}`, name, mic: false, cam: false });
            await client.got({ t: 'snapshot' });
            await client.send({ t: 'hand.raise', id: `h${from + i}`, kind: 'speak' });
            clients.push(client);
        }
        await host.waitFor('the names stand there as text', (selector, wanted) => {
            const text = document.querySelector(selector)?.textContent ?? '';
            return wanted.every((name) => text.includes(name.trim()));
        }, { args: [host.selector(ids.people), list.slice(from, from + 20)], timeout: 10000 });
        for (const client of clients) {
            await client.send({ t: 'leave', id: 'bye' });
            await client.close();
        }
    }
    await verdict();
    t.figure('payloads', list.length);
}

async function chats(t) {
    const room = await ClassRoom.start(t);
    const host = await room.enter('chromium', { role: 'host' });
    await room.openPanel(host, 'chat');
    const verdict = await guard(host, t);
    const other = await room.open('chromium', { name: 'writer', media: 'none' });
    const client = await RawClient.open(other, { link: tokenOf(room.links.participant) });
    await client.send({ t: 'join', id: 'j', name: payloads({ short: true })[2], mic: false, cam: false });
    await client.got({ t: 'snapshot' });
    const list = payloads();
    for (let from = 0; from < list.length; from += 40) {
        await client.send(...list.slice(from, from + 40)
            .map((text, i) => ({ t: 'chat.send', id: `c${from + i}`, text })));
        await client.got({ t: 'ack', id: `c${Math.min(from + 40, list.length) - 1}` });
    }
    await host.waitFor('all texts stand there as text', (selector, wanted) => {
        const text = document.querySelector(selector)?.textContent ?? '';
        return wanted.every((one) => text.includes(one.trim()));
    }, { args: [host.selector(ids.chatLog), list], timeout: 15000 });
    // Links made of texts lead to the web or nowhere.
    const schemes = await host.eval((selector) => [...document.querySelectorAll(`${selector} a`)]
        .map((a) => a.protocol), host.selector(ids.chatLog));
    t.equal([...new Set(schemes)].filter((s) => s !== 'https:' && s !== 'http:'), [], 'schemes of links');
    // And once more for somebody who gets them all in a snapshot.
    const late = await room.open('chromium', { name: 'Late', media: 'none' });
    const lateVerdict = await guard(late, t);
    await room.join(late);
    await room.openPanel(late, 'chat');
    await lateVerdict();
    await verdict();
    t.figure('payloads', list.length);
    t.figure('links', schemes.length);
}

export const scenarios = [
    { name: 's23-guard-bites', timeout_s: 60, run: guardBites },
    { name: 's23-names', timeout_s: 180, run: names },
    { name: 's23-chats', timeout_s: 120, run: chats },
];
