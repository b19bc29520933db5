// crowd.mjs - scripted people beside the browsers: they speak the protocol, see what they are told,
// and send no media.
import { tokenOf, RawClient } from './raw.mjs';

export const CROWD = 12;

/**
 * Twelve more people in the class; a page at the door, which never enters, lends them its sockets. Each
 * has `person` and `name`.
 */
export async function crowd(room, { role = 'participant', count = CROWD } = {}) {
    room.links[role] ??= await room.server.link(room.id, { role });
    const page = await room.t.openPage('chromium', room.links[role], { name: 'Crowd', media: 'none', portMap: room.server.portMap });
    room.scripted ??= 0;
    const people = [];
    for (let i = 0; i < count; i++) {
        const client = await RawClient.open(page, { link: tokenOf(room.links[role]) });
        client.name = `Scripted ${String(++room.scripted).padStart(2, '0')}`;
        await client.send({ t: 'join', id: `join${i}`, name: client.name, mic: false, cam: false });
        client.person = (await client.got({ t: 'snapshot' }, { timeout: 60000 })).you.person;
        people.push(client);
    }
    return people;
}

/** Whether any message this client ever got has this text in it. */
export const heardOf = async (client, text) => JSON.stringify(await client.all()).includes(text);
