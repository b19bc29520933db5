// contract.mjs - what the tests assume about the page and the program. When one of these names
// changes, it is changed here and nowhere else.

/** data-testid of everything a test touches. */
export const ids = {
    name: 'door-name',
    join: 'door-join',
    doorMic: 'door-mic',
    doorCamera: 'door-camera',
    language: { en: 'lang-en', fr: 'lang-fr' },
    trouble: { mic: 'trouble-mic', cam: 'trouble-cam' },
    over: (kind) => `over-${kind}`,
    /** Tiles are tile-<device>-<cam|screen>. */
    tileSelector: '[data-testid^="tile-"]',
    bar: {
        mic: 'bar-mic', camera: 'bar-camera', screen: 'bar-share', hand: 'bar-hand',
        people: 'bar-panel-people', chat: 'bar-panel-chat', leave: 'bar-leave',
    },
    leaveYes: 'leave-confirm',
    settings: 'top-settings',
    settingsPanel: 'settings',
    theme: 'settings-theme',
    palette: 'top-palette',
    start: 'session-start',
    panel: 'panel',
    panelClose: 'panel-close',
    chatInput: 'chat-input',
    chatLog: 'chat-log',
    people: 'people-list',
    personMore: (person) => `person-more-${person}`,
    personRemove: 'person-remove',
    removeOnce: 'remove-once',
    removeBan: 'remove-ban',
    reconnecting: 'reconnecting',
    landingLink: 'landing-link',
    landingGo: 'landing-go',
};

/**
 * Settings of a server under test, as environment: valid for `serve` and all other commands.
 * @param {{dir: string, web: number, rtc: number, admin: number, origins: string[], place: object}} o
 */
export function settings({ dir, web, rtc, admin, origins, place }) {
    const url = `https://${place.host}:${web}`;
    return {
        AMPHI_DATA__DIR: dir,
        AMPHI_WEB__LISTEN: place.listen.map((ip) => `${ip}:${web}`).join(','),
        AMPHI_WEB__PUBLIC_URL: url,
        AMPHI_WEB__ORIGINS: origins.join(','),
        AMPHI_RTC__UDP_PORT: String(rtc),
        AMPHI_RTC__SHARDS: '1',
        AMPHI_RTC__LISTEN_IP: place.media.join(','),
        AMPHI_RTC__EXTERNAL_IP: place.external.join(','),
        AMPHI_ADMIN__LISTEN: `${place.admin}:${admin}`,
    };
}

/** The same for a server whose settings are in a file of its own. */
export function configured({ dir, admin, place }) {
    return {
        AMPHI_CONFIG: place.config,
        AMPHI_DATA__DIR: dir,
        AMPHI_ADMIN__LISTEN: `${place.admin}:${admin}`,
    };
}

export const commands = {
    serve: () => ['serve'],
    classCreate: (title, type = 'standard', set = {}) => ['class', 'create', title, '--type', type,
        ...Object.entries(set).flatMap(([key, value]) => [`--${key}`, String(value)]), '--json'],
    classEnd: (id) => ['class', 'end', id, '--json'],
    link: (id, { role, ttl_s, once }) => ['link', id, '--role', role,
        ...(ttl_s ? ['--ttl', `${ttl_s}s`] : []), ...(once ? ['--single'] : []), '--json'],
};

/** What the commands print with --json. */
export const parse = {
    classId: (json) => json.class,
    linkUrl: (json) => json.url,
};

/** Which process of the program a pid is: 'core', 'door' or ''. They are `amphi core`, `amphi door`. */
export function roleOf(command, name) {
    return [command[1], name].find((word) => word === 'core' || word === 'door') ?? '';
}
