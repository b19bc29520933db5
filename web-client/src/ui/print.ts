// Prints one part of the page on sheets of its own: the class around it stays on the screen.
const HOST_ID = 'print';

export function printNode(node: HTMLElement): void {
  document.getElementById(HOST_ID)?.remove();
  const host = document.createElement('div');
  host.id = HOST_ID;
  host.append(node.cloneNode(true));
  document.body.append(host);
  addEventListener('afterprint', () => host.remove(), { once: true });
  print();
}
