// past.mjs - a class that has taken place, played by scripted people: what the pages after the hour show.
import { RawClient } from './raw.mjs';
import { until } from './wait.mjs';

const CSV = 'Nom;Courriel;Matricule\nAmélie Dupont-Lefèvre;amelie@example.org;GAIA-2026-0417\nKarim Benali;karim@example.org;\n'
    + 'Monique Absente-Beauregard;monique@example.org;\n';

/** Made by the signed-in page without its buttons: ids and tokens. */
const furnish = (page, csv) => page.eval(async (text) => {
    const ask = async (path, body) => (await fetch(path, {
        method: 'POST', headers: { 'content-type': typeof body === 'string' ? 'text/csv' : 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
    })).json();
    const { classes } = await ask('/api/classes', {
        title: 'Évaluer par compétences', type: 'standard', minutes: 60, zone: 'Europe/Paris', starts: [], settings: { 'waiting-room': 'off' },
    });
    const id = classes[0];
    await ask(`/api/classes/${id}/roster?apply=1`, text);
    const { people } = await (await fetch(`/api/classes/${id}/people`)).json();
    const tokens = {};
    for (const p of people) tokens[p.name.split(' ')[0]] = (await ask(`/api/classes/${id}/people/${p.person}/link`, {})).token;
    return { id, tokens, host: (await ask(`/api/classes/${id}/enter`, {})).link };
}, csv);

/** Somebody comes in; `stage` lends the socket. */
export async function person(stage, link, name) {
    const client = await RawClient.open(stage, { link });
    await client.got({ t: 'door' }, { timeout: 60000 });
    await client.send({ t: 'join', id: 'join', name, mic: false, cam: false });
    client.id = (await client.got({ t: 'snapshot' }, { timeout: 60000 })).you.person;
    return client;
}

/** A command and its answer. */
export async function does(client, t, more = {}) {
    client.count = (client.count ?? 0) + 1;
    const id = `c${client.count}`;
    await client.send({ t, id, ...more });
    await client.got({ id, t: 'ack' }, { timeout: 60000 });
}

/**
 * Two of three came; words to all, an announcement, two tables of which one report is for everybody.
 * `stage` lends its sockets and must not leave its address meanwhile.
 */
export async function past(page, stage) {
    const made = await furnish(page, CSV);
    const host = await person(stage, made.host, 'Claire Fontaine');
    await does(host, 'session.start');
    const amelie = await person(stage, made.tokens['Amélie'], 'Amélie Dupont-Lefèvre');
    const karim = await person(stage, made.tokens['Karim'], 'Karim Benali');
    await does(amelie, 'chat.send', { text: 'Bonjour à tous, je vous entends bien.' });
    await does(host, 'workshop.create', { title: 'Études de cas', names: ['Table A', 'Table B'] });
    await host.send({ t: 'sync', have: 0 });
    const set = await until(async () => (await host.all()).findLast((m) => m.t === 'snapshot' && m.workshops?.length)?.workshops[0],
        { what: 'the set of tables', timeout: 60000 });
    const rooms = set.rooms.map((r) => r.id);
    await does(host, 'workshop.room.change', { room: rooms[0], task: 'Relire la page 12 et noter trois questions.' });
    await does(host, 'workshop.change', { set: set.id, notice: 0, closing: 0 });
    for (const [i, who] of [amelie, karim].entries()) await does(host, 'workshop.place', { set: set.id, person: who.id, room: rooms[i] });
    await does(host, 'workshop.open', { set: set.id });
    for (const [client, text] of [[amelie, 'Nous avons trois questions.'], [karim, 'Page 12 : relue.']]) {
        await until(async () => (await client.all()).some((m) => m.events?.some((e) => e.e === 'room.set')), { what: 'at the table', timeout: 60000 });
        await does(client, 'chat.send', { text });
    }
    await does(host, 'workshop.announce', { text: 'Retour en plénière à 11 h, avec vos trois questions.' });
    await does(host, 'workshop.publish', { room: rooms[0], scope: 'all' });
    await does(host, 'workshop.close');
    await does(host, 'session.end');
    for (const client of [host, amelie, karim]) await client.closed({ timeout: 60000 });
    return made;
}
