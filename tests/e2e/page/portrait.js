// portrait.js - injected: what a camera and a screen show when pictures are made for people to look
// at (README, screenshots): drawn portraits that breathe and blink, and a slide. media: 'portrait'.
(() => {
    const e2e = window.__e2e;
    const rooms = [
        { wall: '#dfe3d6', far: '#c9d2c0', thing: 'shelf' }, { wall: '#e6dccb', far: '#d6c6ab', thing: 'window' },
        { wall: '#cfdadd', far: '#b8c7cc', thing: 'plant' }, { wall: '#e2d5d0', far: '#cdb9b1', thing: 'frame' },
        { wall: '#d5d3e0', far: '#bfbcd0', thing: 'lamp' }, { wall: '#dcd9c4', far: '#c6c2a3', thing: 'shelf' },
    ];
    const faces = [
        { skin: '#e8bb98', hair: '#4a2f22', cloth: '#0e5a53', style: 'long', glasses: true },
        { skin: '#8a5a3c', hair: '#1d1512', cloth: '#a65c08', style: 'short', beard: true },
        { skin: '#f0caa9', hair: '#8b8984', cloth: '#39535a', style: 'bob', glasses: true },
        { skin: '#c98f65', hair: '#231914', cloth: '#7c3f46', style: 'bun' },
        { skin: '#efc9ad', hair: '#a9672f', cloth: '#49506b', style: 'short' },
        { skin: '#5f3f2c', hair: '#120e0c', cloth: '#c9b458', style: 'curls' },
        { skin: '#e2b08a', hair: '#2c2320', cloth: '#5b7a4b', style: 'bald', beard: true },
        { skin: '#f2d2b6', hair: '#d1a250', cloth: '#2b6cb0', style: 'long' },
    ];

    const blob = (g, x, y, rx, ry, colour) => {
        g.fillStyle = colour;
        g.beginPath();
        g.ellipse(x, y, rx, ry, 0, 0, 7);
        g.fill();
    };
    const box = (g, x, y, w, h, colour, round = 0) => {
        g.fillStyle = colour;
        g.beginPath();
        g.roundRect(x, y, w, h, round);
        g.fill();
    };
    const things = {
        shelf(g, w, h, far) {
            for (const y of [0.26, 0.52]) {
                box(g, w * 0.04, h * y, w * 0.26, h * 0.018, far);
                ['#7d8f86', '#b08a6a', '#5e7480', '#c2a878', '#8a6f7a', '#93a38c'].forEach((c, i) =>
                    box(g, w * (0.06 + i * 0.034), h * (y - 0.1 - (i % 3) * 0.018), w * 0.026, h * (0.1 + (i % 3) * 0.018), c, 2));
            }
        },
        window(g, w, h, far) {
            box(g, w * 0.68, h * 0.06, w * 0.26, h * 0.52, far, 4);
            box(g, w * 0.69, h * 0.08, w * 0.115, h * 0.48, '#eaf1f2');
            box(g, w * 0.815, h * 0.08, w * 0.115, h * 0.48, '#e2ecee');
        },
        plant(g, w, h, far) {
            box(g, w * 0.81, h * 0.66, w * 0.1, h * 0.34, far, 4);
            for (let i = -3; i <= 3; i++) {
                g.save();
                g.translate(w * 0.86, h * 0.66);
                g.rotate(i * 0.3);
                blob(g, 0, -h * 0.17, w * 0.016, h * 0.17, i % 2 ? '#5d7f62' : '#6f9173');
                g.restore();
            }
        },
        frame(g, w, h, far) {
            box(g, w * 0.08, h * 0.12, w * 0.2, h * 0.34, far, 3);
            box(g, w * 0.1, h * 0.155, w * 0.16, h * 0.27, '#f4efe6');
            blob(g, w * 0.18, h * 0.3, w * 0.045, h * 0.08, '#c48a62');
        },
        lamp(g, w, h, far) {
            box(g, w * 0.856, h * 0.34, w * 0.008, h * 0.7, '#8b8794');
            g.fillStyle = '#f3e3b4';
            g.beginPath();
            g.moveTo(w * 0.8, h * 0.36);
            g.lineTo(w * 0.83, h * 0.16);
            g.lineTo(w * 0.89, h * 0.16);
            g.lineTo(w * 0.92, h * 0.36);
            g.fill();
            box(g, 0, h * 0.82, w * 0.3, h * 0.18, far, 4);
        },
    };
    const hairBehind = {
        long: (g, x, y, u, c) => box(g, x - u * 0.82, y - u * 0.75, u * 1.64, u * 2.25, c, u * 0.7),
        bob: (g, x, y, u, c) => box(g, x - u * 0.84, y - u * 0.8, u * 1.68, u * 1.6, c, u * 0.6),
        bun: (g, x, y, u, c) => blob(g, x, y - u * 1.2, u * 0.36, u * 0.34, c),
        curls: (g, x, y, u, c) => {
            for (let a = 0; a < 12; a++) {
                blob(g, x + Math.cos(a / 12 * 6.283) * u * 0.66, y - u * 0.32 + Math.sin(a / 12 * 6.283) * u * 0.66, u * 0.38, u * 0.38, c);
            }
        },
        short() {}, bald() {},
    };
    const cap = (g, x, y, u, colour) => {
        g.fillStyle = colour;
        g.beginPath();
        g.ellipse(x, y - u * 0.3, u * 0.76, u * 0.78, 0, Math.PI * 1.03, Math.PI * 1.97);
        g.quadraticCurveTo(x + u * 0.3, y - u * 0.62, x - u * 0.1, y - u * 0.6);
        g.quadraticCurveTo(x - u * 0.52, y - u * 0.56, x - u * 0.74, y - u * 0.28);
        g.fill();
    };

    /** One picture of person n, `time` in milliseconds. */
    e2e.drawPortrait = (g, w, h, n, time) => {
        const room = rooms[n % rooms.length];
        const face = faces[(n - 1) % faces.length];
        const breath = Math.sin(time / 900 + n * 1.7);
        const u = h * 0.235;
        const x = w * (0.5 + ((n * 7) % 5 - 2) * 0.012) + Math.sin(time / 2300 + n) * w * 0.006;
        const y = h * 0.45 + breath * h * 0.004;
        box(g, 0, 0, w, h, room.wall);
        things[room.thing](g, w, h, room.far);
        hairBehind[face.style](g, x, y, u, face.hair);
        // Shoulders, neck, head.
        box(g, x - u * 1.65, y + u * 1.32, u * 3.3, u * 3, face.cloth, u * 0.85);
        box(g, x - u * 0.3, y + u * 0.6, u * 0.6, u * 0.95, face.skin, u * 0.25);
        g.globalAlpha = 0.12;
        blob(g, x, y + u * 0.98, u * 0.4, u * 0.2, '#000');
        g.globalAlpha = 1;
        blob(g, x - u * 0.72, y + u * 0.08, u * 0.12, u * 0.19, face.skin);
        blob(g, x + u * 0.72, y + u * 0.08, u * 0.12, u * 0.19, face.skin);
        blob(g, x, y, u * 0.73, u * 0.95, face.skin);
        if (face.beard) {
            g.fillStyle = face.hair;
            g.beginPath();
            g.ellipse(x, y + u * 0.2, u * 0.72, u * 0.78, 0, 0.08, Math.PI - 0.08);
            g.ellipse(x, y + u * 0.24, u * 0.5, u * 0.34, 0, Math.PI, 0, true);
            g.fill();
        }
        if (face.style !== 'bald') cap(g, x, y, u, face.hair);
        // Eyes that blink now and then, brows, nose, mouth.
        const shut = !e2e.calm && (time / 1000 + n * 1.3) % 4.1 < 0.14;
        for (const side of [-1, 1]) {
            blob(g, x + side * u * 0.28, y + u * 0.02, u * 0.075, shut ? u * 0.014 : u * 0.085, '#241c18');
            g.strokeStyle = face.style === 'bald' ? '#3a2d26' : face.hair;
            g.lineWidth = u * 0.055;
            g.lineCap = 'round';
            g.beginPath();
            g.arc(x + side * u * 0.28, y + u * 0.02, u * 0.24, Math.PI * 1.27, Math.PI * 1.73);
            g.stroke();
            if (!face.glasses) continue;
            g.strokeStyle = '#2f3a3c';
            g.lineWidth = u * 0.04;
            g.beginPath();
            g.ellipse(x + side * u * 0.29, y + u * 0.03, u * 0.22, u * 0.19, 0, 0, 7);
            g.stroke();
        }
        if (face.glasses) box(g, x - u * 0.08, y - u * 0.01, u * 0.16, u * 0.035, '#2f3a3c');
        g.globalAlpha = 0.16;
        blob(g, x, y + u * 0.27, u * 0.09, u * 0.05, '#000');
        g.globalAlpha = 1;
        g.strokeStyle = '#8d3f36';
        g.lineWidth = u * 0.06;
        g.beginPath();
        g.arc(x, y + u * 0.34, u * 0.26, Math.PI * 0.2, Math.PI * 0.8);
        g.stroke();
    };

    /** The slide somebody shares. */
    e2e.drawSlide = (g, w, h) => {
        const font = (weight, size) => `${weight} ${h * size}px "Atkinson Hyperlegible Next", sans-serif`;
        box(g, 0, 0, w, h, '#fffdf8');
        box(g, 0, 0, w * 0.012, h, '#0e5a53');
        g.fillStyle = '#0e5a53';
        g.font = font(650, 0.075);
        g.fillText('Conduire un entretien', w * 0.07, h * 0.19);
        g.font = font(400, 0.044);
        ['Accueillir et poser le cadre', 'Écouter sans interrompre', 'Reformuler, puis questionner', 'Conclure par un engagement']
            .forEach((line, i) => {
                g.fillStyle = '#1c2326';
                g.fillText(line, w * 0.125, h * (0.37 + i * 0.13));
                blob(g, w * 0.086, h * (0.355 + i * 0.13), h * 0.033, h * 0.033, i === 2 ? '#a65c08' : '#d9d4c7');
            });
        for (let i = 0; i < 3; i++) {
            g.strokeStyle = ['#0e5a53', '#a65c08', '#d9d4c7'][i];
            g.lineWidth = h * 0.028;
            g.lineCap = 'round';
            g.beginPath();
            g.arc(w * 0.8, h * 0.72, h * (0.1 + i * 0.075), Math.PI * 1.12, Math.PI * 1.88);
            g.stroke();
        }
        g.fillStyle = '#5b6467';
        g.font = font(400, 0.03);
        g.fillText('3 / 12', w * 0.07, h * 0.93);
    };
})();
