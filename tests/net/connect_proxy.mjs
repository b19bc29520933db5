// connect_proxy.mjs - an HTTP proxy as companies have it: CONNECT to port 443 and nothing else.
//   connect_proxy.mjs ADDRESS PORT
// One line per request on stdout: "open HOST:PORT", "refused WHAT" or "failed HOST:PORT REASON".
import http from 'node:http';
import net from 'node:net';

const [address, port] = process.argv.slice(2);

const server = http.createServer((request, response) => {
    console.log(`refused ${request.method} ${request.url}`);
    response.writeHead(403).end();
});

server.on('connect', (request, client, head) => {
    client.on('error', () => {});
    const [, host, to] = /^(.+):(\d+)$/.exec(request.url) ?? [];
    if (to !== '443') {
        console.log(`refused CONNECT ${request.url}`);
        client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
        return;
    }
    const remote = net.connect(Number(to), host.replace(/^\[|\]$/g, ''), () => {
        console.log(`open ${request.url}`);
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        remote.write(head);
        client.pipe(remote);
        remote.pipe(client);
    });
    remote.on('error', (error) => {
        console.log(`failed ${request.url} ${error.code}`);
        client.destroy();
    });
    client.on('close', () => remote.destroy());
    remote.on('close', () => client.destroy());
});

server.listen(Number(port), address, () => console.log('ready'));
